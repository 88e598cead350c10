package io.holdfast.tools.pub;

import java.io.Closeable;
import java.io.IOException;

/** Where the messages to publish come from. Owned by the thread that reads. */
interface MessageSource extends Closeable {
  /**
   * Reads the next message that is not empty.
   *
   * @return null at the end
   * @throws io.holdfast.tools.cli.ToolException when it cannot be used, in one line
   * @throws IOException when reading fails
   */
  InputMessage next() throws IOException;

  /**
   * @return empty messages left out so far; no broker takes them
   */
  long skippedEmpty();
}
