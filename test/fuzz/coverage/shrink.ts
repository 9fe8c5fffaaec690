/** The shortest input found by leaving pieces out, large ones first, for which `fails` still holds. */
export function shrink(input: Buffer, fails: (input: Buffer) => boolean): Buffer {
  let best = input;
  for (let piece = Math.ceil(input.length / 2); piece >= 1; piece = piece > 1 ? Math.ceil(piece / 2) : 0) {
    for (let at = 0; at < best.length;) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]);
      if (fails(shorter)) best = shorter;
      else at += piece;
    }
  }
  return best;
}
