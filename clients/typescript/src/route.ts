import type { paths } from "./api.js";

/** Paths that the OpenAPI document has for a method. */
export type PathOf<M extends "get" | "put"> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];

type Parameters<P extends keyof paths, M extends "get" | "put"> = paths[P] extends Record<M, { parameters: infer Q }> ? Q : never;
type Field<T, K extends string> = T extends { [key in K]?: infer V } ? NonNullable<V> : never;

/** Names that a path calls for. */
export type Names<P extends keyof paths, M extends "get" | "put"> = Field<Parameters<P, M>, "path">;
/** Parameters that its query takes. */
export type Query<P extends keyof paths, M extends "get" | "put"> = Field<Parameters<P, M>, "query">;

/** Fills a path of the OpenAPI document with names and adds what is defined of the query. */
export function route(path: keyof paths, names: Record<string, string> = {}, query: object = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, key: string) => {
    const name = names[key] ?? "";
    // These would be resolved away, even percent-encoded, and another route asked.
    if (name === "" || name === "." || name === "..") {
      throw new TypeError(`${key} must be a name, not ${JSON.stringify(name)}`);
    }
    return encodeURIComponent(name);
  });
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return text === "" ? filled : `${filled}?${text}`;
}
