package io.holdfast.storage;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Excerpts in order, each as a place in a buffer: the broker's {@link ExcerptReader} on the mapped
 * files, or the tools' {@link RecordScan}, so that both replay a ledger with the same code.
 */
interface ExcerptSource {
  /** Goes to the next excerpt; false when there is none yet. */
  boolean next() throws IOException;

  /** Where the excerpt is; big-endian. Whoever moves position or limit puts them back. */
  ByteBuffer view();

  /** Where in {@link #view} the excerpt begins. */
  int offset();

  /** Payload bytes of the excerpt. */
  int length();

  /** Cycle and file offset of the excerpt, see {@link ExcerptLog#position}. */
  long position();

  /** "file:offset" for messages to people. */
  String where(long at);
}
