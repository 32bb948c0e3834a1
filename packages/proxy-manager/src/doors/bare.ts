/**
 * An object that inherits nothing: what somebody has put on `Object.prototype` (prototype pollution) is no option of a
 * call, as it is none for axios. Objects of a class stay fast to read, which those of `Object.create(null)` are not.
 */
export class Bare {
  [name: string]: unknown;
}
Object.setPrototypeOf(Bare.prototype, null);
