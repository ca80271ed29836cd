// What a refused request gets: a status, one sentence, and perhaps when to try again.

export class Refusal extends Error {
  constructor(readonly status: number, readonly sentence: string) {
    super(sentence);
  }
}
