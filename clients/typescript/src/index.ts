/** A client of the Walrus gateway for Node and browsers, without dependencies. */
export { Gateway } from "./gateway.js";
export type {
  Content,
  GatewayOptions,
  Patch,
  QuiltFile,
  ReadOptions,
  StoreOptions,
  Stored,
  StoredQuilt,
} from "./gateway.js";
export { GatewayError } from "./error.js";
export type { Reason } from "./error.js";
export type { UploadEvent } from "./events.js";
export type { ByteRange } from "./range.js";
export type { components, paths } from "./api.js";
