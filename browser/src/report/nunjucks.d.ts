// The part of nunjucks-slim that is used, and the templates that the build compiles.

declare module "nunjucks/browser/nunjucks-slim.min.js" {
  export type Compiled = { root: unknown };
  export class PrecompiledLoader {
    constructor(templates: Record<string, Compiled>);
  }
  export class Environment {
    constructor(loader: PrecompiledLoader, options: { autoescape: boolean; throwOnUndefined: boolean });
    addFilter(name: string, filter: (...values: never[]) => unknown): void;
    render(name: string, values: object): string;
  }
  const slim: { Environment: typeof Environment; PrecompiledLoader: typeof PrecompiledLoader; lib: { escape(text: string): string }; runtime: { markSafe(text: string): string } };
  export default slim;
}

declare module "templates:report" {
  const templates: Record<string, { root: unknown }>;
  export default templates;
}
