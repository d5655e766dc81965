/** What can be stored. Streams, which need HTTP/2 in browsers, are for blobs only. */
export type Content = string | ArrayBuffer | Uint8Array | Blob | ReadableStream<Uint8Array>;

/** A file to be stored within a quilt. */
export interface QuiltFile {
  /** Its name, unique in the quilt. */
  identifier: string;
  content: Exclude<Content, ReadableStream>;
  /** Sent as headers with the file as far as the gateway allows it, `content-type` among them. */
  tags?: Record<string, string>;
}

/** The part of the form that holds the tags. */
const METADATA = "_metadata";

/** The form in which a gateway takes a quilt. */
export function quiltForm(files: Iterable<QuiltFile>): FormData {
  const form = new FormData();
  const described = [];
  for (const { identifier, content, tags } of files) {
    // Browsers write these otherwise into a form's head; the file would be stored under another name.
    if (identifier === "" || identifier === METADATA || /["\\\p{Cc}]/u.test(identifier)) {
      throw new TypeError(`not an identifier for a file: ${JSON.stringify(identifier)}`);
    }
    if (form.has(identifier)) throw new TypeError(`two files are called ${JSON.stringify(identifier)}`);
    form.append(identifier, new Blob([content as BlobPart]));
    if (tags) described.push({ identifier, tags });
  }
  if (described.length > 0) form.append(METADATA, JSON.stringify(described));
  return form;
}
