/** The proxy answered, and not with a tunnel; the message is the answer in words. */
export class TunnelRefused extends Error {
  /** True where it minds our name and password, or the lack of them. */
  readonly wantsPassword: boolean;

  constructor(answer: string, wantsPassword = false) {
    super(answer);
    this.wantsPassword = wantsPassword;
  }
}
