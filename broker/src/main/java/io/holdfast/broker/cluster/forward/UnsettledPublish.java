package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.queue.PublishListener;
import java.nio.ByteBuffer;

/** A publish of which it is not known what became of it. Belongs to its {@link GroupPublishes}. */
final class UnsettledPublish {
  /** What it takes beside its messages, bytes. */
  private static final int OVERHEAD_BYTES = 256;

  /** Where it stands. */
  enum State {
    /** It is in no log, and no attempt will bring it into one. */
    NOWHERE,
    /** An attempt is under way, and an answer may come. */
    ASKED,
    /** An attempt may be in the log, or get there, and no answer comes. */
    OPEN
  }

  final long sequence;
  final String topic;
  final byte[] section;
  final int count;
  final long deferMs;
  final long deadlineNs;
  final PublishListener listener;

  State state = State.NOWHERE;

  /** Of the last attempt; null before the first. */
  PublishStream stream;

  /** Of the last attempt. */
  long position;

  /** Whether a snapshot took the place of entries of which one may be this. */
  boolean isPassedOver;

  /** Why the leader does not take it now; null when it did not say. */
  String reason;

  UnsettledPublish(
      long sequence,
      String topic,
      byte[] section,
      int count,
      long deferMs,
      long deadlineNs,
      PublishListener listener) {
    this.sequence = sequence;
    this.topic = topic;
    this.section = section;
    this.count = count;
    this.deferMs = deferMs;
    this.deadlineNs = deadlineNs;
    this.listener = listener;
  }

  static long bytes(int sectionBytes) {
    return (long) OVERHEAD_BYTES + sectionBytes;
  }

  long bytes() {
    return bytes(section.length);
  }

  boolean isOpen() {
    return state != State.NOWHERE;
  }

  ForwardRequest request(int group, long start) {
    return new ForwardRequest(
        false,
        group,
        stream.term,
        start,
        stream.number,
        position,
        sequence,
        deferMs,
        count,
        topic,
        ByteBuffer.wrap(section));
  }
}
