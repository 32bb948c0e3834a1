export declare class ProxyManager {
  close(): Promise<void>;
}
