/** Beyond so many distinct values the table starts anew: what is gone from the cluster must not stay here. */
const MAX_VALUES = 50_000;
/** Characters of JSON. Few objects have more than that in common, and users can write a new one with each change. */
const MAX_LENGTH = 1_000;

/**
 * Gives equal values as one object, so that the labels and ports of a thousand pods of one Deployment are held once.
 * Only for plain JSON values that nobody changes.
 */
export class SharedValues {
  #values = new Map<string, unknown>();

  share<T>(value: T): T {
    if (value === undefined) return value;
    const key = JSON.stringify(value);
    if (key.length > MAX_LENGTH) return value;
    const known = this.#values.get(key);
    if (known !== undefined) return known as T;
    if (this.#values.size >= MAX_VALUES) this.#values = new Map();
    this.#values.set(key, value);
    return value;
  }
}
