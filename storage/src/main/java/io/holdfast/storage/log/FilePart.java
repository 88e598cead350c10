package io.holdfast.storage.log;

/**
 * A part of one of a log's files.
 *
 * @param cycle of the file
 * @param from file offset of the first byte
 * @param to file offset behind the last byte
 */
public record FilePart(int cycle, long from, long to) {
  /** How many bytes it has. */
  public long bytes() {
    return to - from;
  }
}
