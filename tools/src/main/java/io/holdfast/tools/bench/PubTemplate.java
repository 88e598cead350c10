package io.holdfast.tools.bench;

import io.holdfast.tools.client.CommandBuffer;

/**
 * One PUB or MPUB, built once; sending it again takes only new stamps in its bodies. Owned by its
 * publisher's thread.
 */
final class PubTemplate {
  private final byte[] command;
  private final int length;
  private final int firstBody;
  private final int stride;
  private final int messages;
  private final boolean stamped;

  /**
   * @param topic valid topic name
   * @param messages 1 for PUB, more for MPUB
   * @param size body bytes, at least 1
   * @param runId marks this run's messages
   */
  PubTemplate(String topic, int messages, int size, long runId) {
    byte[] body = BenchBody.filled(size, runId);
    CommandBuffer buffer = new CommandBuffer(128 + messages * (4 + size));
    if (messages == 1) {
      buffer.lineWithBody("PUB " + topic, body, 0, size);
    } else {
      buffer.beginMpub(topic);
      for (int i = 0; i < messages; i++) {
        buffer.mpubMessage(body, 0, size);
      }
      buffer.endMpub();
    }
    this.command = buffer.bytes();
    this.length = buffer.length();
    this.stride = 4 + size;
    this.firstBody = length - messages * stride + 4;
    this.messages = messages;
    this.stamped = size >= BenchBody.HEADER;
  }

  /**
   * Writes the send time and numbers into all bodies.
   *
   * @param intendedNs by {@link System#nanoTime}
   * @param number of the first message
   */
  void stamp(long intendedNs, long number) {
    if (stamped) {
      int at = firstBody;
      for (int i = 0; i < messages; i++) {
        BenchBody.stamp(command, at, intendedNs, number + i);
        at += stride;
      }
    }
  }

  byte[] bytes() {
    return command;
  }

  int length() {
    return length;
  }

  int messages() {
    return messages;
  }
}
