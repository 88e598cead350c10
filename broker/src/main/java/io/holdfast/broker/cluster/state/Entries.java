package io.holdfast.broker.cluster.state;

import io.holdfast.storage.ledger.LedgerCodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Makes the entries of a group's log, all big-endian (v = variable-length integer as in ledgers):
 *
 * <pre>
 *  0  u8   version, 1
 *  1  u8   type
 *  2  u32  CRC32C over bytes 0, 1 and 6 to the end
 *  6  i64  the leader's time, ns since 1970
 * 14       payload
 *
 *  1 PUBLISH        u8 node, i64 start, i64 sequence, i64 topic, i64 deferral ms, i32 count,
 *                   section: count x (i32 length, body)
 *  2 LEDGER         records to the end, see {@link LedgerEntry}
 *  3 CREATE_TOPIC   name
 *  4 DELETE_TOPIC   i64 topic
 *  5 CREATE_CHANNEL i64 topic, i64 first message (-1: what the topic keeps back, else what comes), name
 *  6 DELETE_CHANNEL i64 topic, i64 channel
 *  7 PAUSE          i64 topic, i64 channel (0: the topic), u8 1 paused, 0 not
 *  8 EMPTY          i64 topic, i64 channel (0: the topic)
 *  9 REWIND         i64 topic, i64 channel, i64 first message
 * 10 POLICY         i64 topic, i64 channel (0: the topic), i32 count, count x (name, value)
 * 11 TERM           nothing
 * 12 FORMAT         u8 version
 * 13 SETTLE         nothing
 * 14 RETAIN         i64 topic, i64 message (-1: none is to stay once it is finished)
 * 15 DROP_KEPT      i64 topic, i64 first message that stays
 * 16 SKIP           i64 how many ordinals
 * 17 CARRY          i64 topic, messages with bodies, see {@link CarryEntry}
 * name, value       i32 bytes, UTF-8
 * </pre>
 *
 * <p>Topics and channels are known by the numbers that the state gives them. Stateless.
 */
public final class Entries {
  /** Of the entries that are made here. */
  static final int VERSION = 1;

  static final int CRC_OFFSET = 2;
  static final int TIME_OFFSET = 6;
  static final int HEAD_BYTES = 14;

  /** Bytes of a publish before its section. */
  static final int PUBLISH_BYTES = HEAD_BYTES + 1 + 4 * Long.BYTES + Integer.BYTES;

  /** In place of a channel's number: the topic itself is meant. */
  public static final long TOPIC_ITSELF = 0;

  /** In place of a message: none. */
  public static final long NONE = -1;

  private Entries() {}

  /**
   * A publish command.
   *
   * @param timeNs when it was published, ns since 1970
   * @param topic number
   * @param deferMs delay from publish, 0 for none
   * @param count of messages, at least 1
   * @param section count x (i32 length, body), already checked; from position to limit
   */
  public static ByteBuffer publish(
      Origin origin, long timeNs, long topic, long deferMs, int count, ByteBuffer section) {
    ByteBuffer entry =
        begin(EntryType.PUBLISH, timeNs, PUBLISH_BYTES - HEAD_BYTES + section.remaining());
    entry.put((byte) origin.node()).putLong(origin.start()).putLong(origin.sequence());
    entry.putLong(topic).putLong(deferMs).putInt(count).put(section.duplicate());
    return seal(entry);
  }

  /** A topic is made, unless there is one of that name. */
  public static ByteBuffer createTopic(String name, long timeNs) {
    byte[] bytes = utf8(name);
    ByteBuffer entry = begin(EntryType.CREATE_TOPIC, timeNs, bytesOf(bytes));
    return seal(putText(entry, bytes));
  }

  /** A topic is deleted with all it has. */
  public static ByteBuffer deleteTopic(long topic, long timeNs) {
    return seal(begin(EntryType.DELETE_TOPIC, timeNs, Long.BYTES).putLong(topic));
  }

  /**
   * A channel is made, unless there is one of that name.
   *
   * @param first its first message; {@link #NONE} for what the topic keeps back, or what comes
   */
  public static ByteBuffer createChannel(long topic, String name, long first, long timeNs) {
    byte[] bytes = utf8(name);
    ByteBuffer entry = begin(EntryType.CREATE_CHANNEL, timeNs, 2 * Long.BYTES + bytesOf(bytes));
    return seal(putText(entry.putLong(topic).putLong(first), bytes));
  }

  /** A channel is deleted with all it has. */
  public static ByteBuffer deleteChannel(long topic, long channel, long timeNs) {
    return seal(beginFor(EntryType.DELETE_CHANNEL, timeNs, topic, channel, 0));
  }

  /** A topic ({@link #TOPIC_ITSELF}) or channel is paused, or goes on. */
  public static ByteBuffer pause(long topic, long channel, boolean paused, long timeNs) {
    ByteBuffer entry = beginFor(EntryType.PAUSE, timeNs, topic, channel, 1);
    return seal(entry.put((byte) (paused ? 1 : 0)));
  }

  /**
   * What a topic ({@link #TOPIC_ITSELF}) keeps back, or what a channel has, is dropped: all there
   * is when the entry is applied.
   */
  public static ByteBuffer empty(long topic, long channel, long timeNs) {
    return seal(beginFor(EntryType.EMPTY, timeNs, topic, channel, 0));
  }

  /** A channel begins anew at a message, or at the first one there is behind it. */
  public static ByteBuffer rewind(long topic, long channel, long first, long timeNs) {
    ByteBuffer entry = beginFor(EntryType.REWIND, timeNs, topic, channel, Long.BYTES);
    return seal(entry.putLong(first));
  }

  /**
   * What is set by hand for a topic ({@link #TOPIC_ITSELF}) or channel from now on.
   *
   * @param policy field to value as text; empty for nothing
   */
  public static ByteBuffer policy(
      long topic, long channel, Map<String, String> policy, long timeNs) {
    int bytes = Integer.BYTES;
    for (Map.Entry<String, String> field : policy.entrySet()) {
      bytes += bytesOf(utf8(field.getKey())) + bytesOf(utf8(field.getValue()));
    }
    ByteBuffer entry = beginFor(EntryType.POLICY, timeNs, topic, channel, bytes);
    entry.putInt(policy.size());
    policy.forEach((name, value) -> putText(putText(entry, utf8(name)), utf8(value)));
    return seal(entry);
  }

  /**
   * A leader's first entry: when it is applied, those of older terms that have not been never will
   * be.
   */
  public static ByteBuffer term(long timeNs) {
    return seal(begin(EntryType.TERM, timeNs, 0));
  }

  /** From here on entries up to a version are allowed; all nodes have said that they know it. */
  public static ByteBuffer format(int version, long timeNs) {
    return seal(begin(EntryType.FORMAT, timeNs, 1).put((byte) version));
  }

  /**
   * Finds out now which messages nobody needs any more, so that their files can go; it happens by
   * itself every {@link GroupState#SETTLE_EVERY} entries.
   */
  public static ByteBuffer settle(long timeNs) {
    return seal(begin(EntryType.SETTLE, timeNs, 0));
  }

  /**
   * Finished messages from this one on are to stay.
   *
   * @param from {@link #NONE} when none is to stay
   */
  public static ByteBuffer retain(long topic, long from, long timeNs) {
    return seal(begin(EntryType.RETAIN, timeNs, 2 * Long.BYTES).putLong(topic).putLong(from));
  }

  /** What a topic keeps back begins at this message from now on, if it began before. */
  public static ByteBuffer dropKept(long topic, long first, long timeNs) {
    return seal(begin(EntryType.DROP_KEPT, timeNs, 2 * Long.BYTES).putLong(topic).putLong(first));
  }

  /**
   * All topics pass over so many ordinals: messages that were lost with a majority may have been
   * seen under these, and nobody is to see others.
   */
  public static ByteBuffer skip(long ordinals, long timeNs) {
    return seal(begin(EntryType.SKIP, timeNs, Long.BYTES).putLong(ordinals));
  }

  static ByteBuffer begin(EntryType type, long timeNs, int payloadBytes) {
    ByteBuffer entry = ByteBuffer.allocate(HEAD_BYTES + payloadBytes);
    entry.put((byte) VERSION).put((byte) type.code()).putInt(0).putLong(timeNs);
    return entry;
  }

  private static ByteBuffer beginFor(
      EntryType type, long timeNs, long topic, long channel, int moreBytes) {
    return begin(type, timeNs, 2 * Long.BYTES + moreBytes).putLong(topic).putLong(channel);
  }

  /** Puts the checksum into an entry that ends at its position; ready to be read. */
  static ByteBuffer seal(ByteBuffer entry) {
    entry.flip();
    return entry.putInt(CRC_OFFSET, crc(entry, 0));
  }

  /** The checksum of the entry from an offset to the limit. */
  static int crc(ByteBuffer entry, int offset) {
    CRC32C crc = new CRC32C();
    crc.update(entry.get(offset));
    crc.update(entry.get(offset + 1));
    crc.update(entry.duplicate().position(offset + TIME_OFFSET));
    return (int) crc.getValue();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int bytesOf(byte[] text) {
    return Integer.BYTES + text.length;
  }

  private static ByteBuffer putText(ByteBuffer to, byte[] text) {
    return to.putInt(text.length).put(text);
  }

  /** The most bytes that {@link LedgerEntry} puts before a record's payload. */
  static int maxLedgerHeadBytes() {
    return 3 * LedgerCodec.maxVarBytes() + 1 + 2 * Integer.BYTES;
  }
}
