// Bytes of a file with those pages kept that were asked for last: HDF5 asks for many small pieces that lie together.

import type { Bytes } from "../bytes.ts";

const PAGE = 1 << 18;
const MOST_PAGES = 64;

export class PagedBytes {
  readonly size: number;
  // From the one that wasn't asked for longest to the latest.
  private readonly pages = new Map<number, Uint8Array>();

  constructor(private readonly whole: Bytes) {
    this.size = whole.size;
  }

  read(start: number, stop: number): Uint8Array {
    const end = Math.min(stop, this.size), first = Math.floor(start / PAGE);
    // what is larger than a page is asked for once, and would only push others out
    if (end - start >= PAGE) return this.whole.read(start, end);
    const page = this.page(first), place = start - first * PAGE;
    if (end <= (first + 1) * PAGE) return page.subarray(place, Math.max(place, end - first * PAGE));
    const both = new Uint8Array(end - start);
    both.set(page.subarray(place));
    both.set(this.page(first + 1).subarray(0, end - (first + 1) * PAGE), PAGE - place);
    return both;
  }

  private page(number: number): Uint8Array {
    let page = this.pages.get(number);
    if (page === undefined) page = this.whole.read(number * PAGE, Math.min((number + 1) * PAGE, this.size));
    else this.pages.delete(number);
    this.pages.set(number, page);
    if (this.pages.size > MOST_PAGES) this.pages.delete(this.pages.keys().next().value!);
    return page;
  }
}
