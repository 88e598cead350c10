package io.holdfast.tools.client;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Commands in wire form (PROTOCOL.md §1.3), written one after the other into one growing array that
 * is reused. Not thread-safe.
 */
public final class CommandBuffer {
  /** Bytes of a message id. */
  public static final int ID_LENGTH = 16;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] FIN = "FIN ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] REQ = "REQ ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] TOUCH = "TOUCH ".getBytes(StandardCharsets.US_ASCII);

  private byte[] bytes;
  private int length;
  private int mpubStart = -1;
  private int mpubCount;

  /**
   * @param capacity bytes to start with
   */
  public CommandBuffer(int capacity) {
    bytes = new byte[capacity];
  }

  /** Forgets everything; keeps the array. */
  public void clear() {
    length = 0;
    mpubStart = -1;
  }

  /**
   * @return bytes held
   */
  public int length() {
    return length;
  }

  /**
   * The array itself, for stamping bodies in place. It is replaced when the buffer grows.
   *
   * @return the array, valid up to {@link #length}
   */
  public byte[] bytes() {
    return bytes;
  }

  /**
   * A command without body.
   *
   * @param text the line without its newline
   * @return this
   */
  public CommandBuffer line(String text) {
    ascii(text);
    one('\n');
    return this;
  }

  /**
   * A command with a body: IDENTIFY, AUTH, PUB or DPUB.
   *
   * @param text the line without its newline
   * @param body array holding the body
   * @param offset where it starts
   * @param count its bytes
   * @return this
   */
  public CommandBuffer lineWithBody(String text, byte[] body, int offset, int count) {
    line(text);
    sized(body, offset, count);
    return this;
  }

  /**
   * Starts an MPUB; follow with {@link #mpubMessage} and {@link #endMpub}.
   *
   * @param topic valid topic name
   */
  public void beginMpub(String topic) {
    line("MPUB " + topic);
    mpubStart = length;
    mpubCount = 0;
    reserve(8);
    length += 8;
  }

  /**
   * Adds a message to the open MPUB.
   *
   * @param body array holding the body
   * @param offset where it starts
   * @param count its bytes
   */
  public void mpubMessage(byte[] body, int offset, int count) {
    sized(body, offset, count);
    mpubCount++;
  }

  /** Closes the MPUB: fills in its size and count. */
  public void endMpub() {
    INT.set(bytes, mpubStart, length - mpubStart - 4);
    INT.set(bytes, mpubStart + 4, mpubCount);
    mpubStart = -1;
  }

  /**
   * FIN.
   *
   * @param id array holding the message id
   * @param offset where its 16 bytes start
   */
  public void fin(byte[] id, int offset) {
    reserve(FIN.length + ID_LENGTH + 1);
    System.arraycopy(FIN, 0, bytes, length, FIN.length);
    System.arraycopy(id, offset, bytes, length + FIN.length, ID_LENGTH);
    length += FIN.length + ID_LENGTH;
    bytes[length++] = '\n';
  }

  /**
   * REQ.
   *
   * @param id array holding the message id
   * @param offset where its 16 bytes start
   * @param delayMs zero or more
   */
  public void req(byte[] id, int offset, long delayMs) {
    raw(REQ, 0, REQ.length);
    raw(id, offset, ID_LENGTH);
    ascii(" " + delayMs);
    one('\n');
  }

  /**
   * TOUCH.
   *
   * @param id array holding the message id
   * @param offset where its 16 bytes start
   */
  public void touch(byte[] id, int offset) {
    raw(TOUCH, 0, TOUCH.length);
    raw(id, offset, ID_LENGTH);
    one('\n');
  }

  /**
   * Bytes as they are: the magic, or commands prepared elsewhere.
   *
   * @param source array to copy from
   * @param offset where to start
   * @param count how many
   */
  public void raw(byte[] source, int offset, int count) {
    reserve(count);
    System.arraycopy(source, offset, bytes, length, count);
    length += count;
  }

  /**
   * Writes everything and clears.
   *
   * @param out where to; not flushed
   * @throws IOException from {@code out}; the buffer is then unchanged
   */
  public void writeTo(OutputStream out) throws IOException {
    if (length > 0) {
      out.write(bytes, 0, length);
      clear();
    }
  }

  private void sized(byte[] body, int offset, int count) {
    reserve(4 + count);
    INT.set(bytes, length, count);
    System.arraycopy(body, offset, bytes, length + 4, count);
    length += 4 + count;
  }

  private void ascii(String text) {
    byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
    raw(encoded, 0, encoded.length);
  }

  private void one(char c) {
    reserve(1);
    bytes[length++] = (byte) c;
  }

  private void reserve(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(length, more), bytes.length * 2));
    }
  }
}
