package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Entries as bytes; what is not known is an error. */
class EntriesTest {
  private static Entry read(ByteBuffer entry) throws IOException {
    return Entry.of(entry, Entries.VERSION);
  }

  private static String refusal(ByteBuffer entry) {
    return assertThrows(IOException.class, () -> read(entry)).getMessage();
  }

  private static ByteBuffer sealed(ByteBuffer entry) {
    return entry.putInt(Entries.CRC_OFFSET, Entries.crc(entry, 0));
  }

  private static byte[] bytes(ByteBuffer entry) {
    byte[] bytes = new byte[entry.remaining()];
    entry.duplicate().get(bytes);
    return bytes;
  }

  @Test
  void aPublishIsAsItIsOnTheDisk() {
    ByteBuffer section = ByteBuffer.wrap("\0\0\0\1a\0\0\0\2bb".getBytes(StandardCharsets.US_ASCII));
    ByteBuffer entry = Entries.publish(new Origin(2, 3, 4), 0x1122334455667788L, 5, 6, 2, section);
    assertEquals(
        "0101"
            + crcOf(entry)
            + "1122334455667788"
            + "02"
            + "0000000000000003"
            + "0000000000000004"
            + "0000000000000005"
            + "0000000000000006"
            + "00000002"
            + "0000000161"
            + "000000026262",
        HexFormat.of().formatHex(bytes(entry)));
    assertEquals(11, section.remaining());
  }

  private static String crcOf(ByteBuffer entry) {
    return HexFormat.of().toHexDigits(Entries.crc(entry, 0));
  }

  @Test
  void whatIsNotKnownStops() {
    assertEquals("type 77 is not known", refusal(sealed(Entries.term(1).put(1, (byte) 77))));
    assertEquals("type 0 is not known", refusal(sealed(Entries.term(1).put(1, (byte) 0))));
    assertEquals(
        "version 2 is not known or not allowed yet",
        refusal(sealed(Entries.term(1).put(0, (byte) 2))));
    assertEquals("an entry of 13 bytes is too short", refusal(Entries.term(1).limit(13)));
  }

  @Test
  void everyFlippedBitIsFound() {
    ByteBuffer entry = Entries.createTopic("topic", 12345);
    for (int at = 0; at < entry.limit(); at++) {
      for (int bit = 0; bit < 8; bit++) {
        ByteBuffer damaged = ByteBuffer.wrap(bytes(entry));
        damaged.put(at, (byte) (damaged.get(at) ^ 1 << bit));
        assertThrows(IOException.class, () -> read(damaged));
      }
    }
  }

  @Test
  void textsAndNumbersComeBack() throws Exception {
    Map<String, String> policy = Map.of("a", "1", "b", "\u00fc");
    Entry entry = read(Entries.policy(3, 4, policy, 99));
    assertEquals(EntryType.POLICY, entry.type());
    assertEquals(99, entry.timeNs());
    assertEquals(3, entry.readLong());
    assertEquals(4, entry.readLong());
    assertEquals(policy, entry.readTexts());
    Entry channel = read(Entries.createChannel(7, "c", -1, 0));
    assertEquals(7, channel.readLong());
    assertEquals(-1, channel.readLong());
    assertEquals("c", channel.readText());
    // 0 would be the time now.
    assertEquals(1, channel.timeNs());
    assertThrows(IOException.class, channel::readLong);
  }

  @Test
  void anEntryCanStandInTheMiddleOfABuffer() throws Exception {
    ByteBuffer entry = Entries.createTopic("topic", 1);
    ByteBuffer larger = ByteBuffer.allocate(100).position(13);
    larger.put(entry.duplicate()).limit(larger.position()).position(13);
    assertEquals("topic", read(larger).readText());
    assertEquals(13, larger.position());
  }

  @Test
  void ledgerRecordsComeBack() throws Exception {
    LedgerEntry made = new LedgerEntry();
    assertTrue(made.isEmpty());
    OrdinalRanges ranges = new OrdinalRanges();
    for (int i = 0; i < 3000; i++) {
      ranges.add(3L * i, 3L * i + 2);
    }
    made.finish(1, 2, 3, ranges);
    made.deliver(4, 5, 6, ranges);
    MessageRef ref = new MessageRef(1 << 20, 55, 66, 77, 8);
    made.hold(7, 8, 9, List.of(HeldMessage.dead(ref, 1234, HeldMessage.Mark.DEAD_EXPIRED)));
    ByteBuffer entry = made.toEntry(5);
    assertEquals(made.bytes(), entry.remaining());
    List<String> records = new ArrayList<>();
    LedgerEntry.read(
        read(entry),
        (topic, channel, epoch, kind, count, payload) ->
            records.add(
                topic
                    + " "
                    + channel
                    + " "
                    + epoch
                    + " "
                    + kind
                    + " "
                    + count
                    + " "
                    + payload.remaining()));
    assertEquals("1 2 3 1 3000 6000", records.get(0));
    assertEquals("4 5 6 2 3000 6000", records.get(1));
    assertEquals("7 8 9 3 1 14", records.get(2));
    made.clear();
    assertTrue(made.isEmpty());
    assertEquals(Entries.HEAD_BYTES, made.toEntry(1).remaining());
  }
}
