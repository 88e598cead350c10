package io.holdfast.storage.group;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.ledger.LedgerStateRecords;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A {@link GroupImage} as a {@link StateFile}. Sections, in this order; channels behind their
 * topic, the ledger's records behind their channel:
 *
 * <pre>
 * 1 GROUP    u8 version, 1; i32 group, i64 index, i64 term, i32 crc, u8 format, i64 next number,
 *            i64 next id base
 * 2 TOPIC    text name, i64 number, i64 id base, u8 paused, i64 kept from, i64 retain from,
 *            i64 needed from, policy, i64 next ordinal, i32 count, count x (i64 from, i64 to) skipped,
 *            i32 end's file, i64 end's offset, i32 count, count x i32 file, i32 count,
 *            count x (i64 ordinal, i64 position of the copy's record, i32 offset of its body,
 *            i32 bytes of that, i64 time ns, i64 deferral ms) carried
 * 3 CHANNEL  text name, i64 number, u8 paused, i64 epoch, policy
 * 4 LEDGER   i32 type, i32 count, payload: see {@link LedgerStateRecords}
 * text       i32 bytes, UTF-8
 * policy     i32 count, count x (text field, text value)
 * </pre>
 */
public final class StateCodec {
  /** What such a file is called in a snapshot. */
  public static final String FILE = "state.bin";

  private static final int VERSION = 1;
  private static final int GROUP = 1;
  private static final int TOPIC = 2;
  private static final int CHANNEL = 3;
  private static final int LEDGER = 4;

  private StateCodec() {}

  // ---------------------------------------------------------------- writing

  /** Writes a new file; it is on the disk when this returns, but for its name. */
  public static void write(GroupImage image, Disk disk, Path file) throws IOException {
    try (StateFile.Writer to = new StateFile.Writer(disk, file)) {
      section(to, GROUP, out -> putGroup(out, image));
      for (TopicImage topic : image.topics()) {
        section(to, TOPIC, out -> putTopic(out, topic));
        for (ChannelImage channel : topic.channels()) {
          section(to, CHANNEL, out -> putChannel(out, channel));
          LedgerStateRecords.write(
              channel.state(),
              (type, count, payload) -> {
                ByteBuffer section = ByteBuffer.allocate(2 * Integer.BYTES + payload.remaining());
                to.section(LEDGER, section.putInt(type).putInt(count).put(payload).flip());
              });
        }
      }
      to.finish();
    }
  }

  private interface Content {
    void to(DataOutputStream out) throws IOException;
  }

  private static void section(StateFile.Writer to, int kind, Content content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    content.to(new DataOutputStream(bytes));
    to.section(kind, ByteBuffer.wrap(bytes.toByteArray()));
  }

  private static void putGroup(DataOutputStream out, GroupImage image) throws IOException {
    out.writeByte(VERSION);
    out.writeInt(image.group());
    out.writeLong(image.index());
    out.writeLong(image.term());
    out.writeInt(image.crc());
    out.writeByte(image.format());
    out.writeLong(image.nextNumber());
    out.writeLong(image.nextIdBase());
  }

  private static void putTopic(DataOutputStream out, TopicImage topic) throws IOException {
    putText(out, topic.name());
    out.writeLong(topic.number());
    out.writeLong(topic.idBase());
    out.writeBoolean(topic.paused());
    out.writeLong(topic.keptFrom());
    out.writeLong(topic.retainFrom());
    out.writeLong(topic.neededFrom());
    putTexts(out, topic.policy());
    out.writeLong(topic.nextOrdinal());
    OrdinalRanges skipped = topic.skipped();
    out.writeInt(skipped.count());
    for (int i = 0; i < skipped.count(); i++) {
      out.writeLong(skipped.from(i));
      out.writeLong(skipped.to(i));
    }
    out.writeInt(topic.end().file());
    out.writeLong(topic.end().offset());
    out.writeInt(topic.files().size());
    for (int file : topic.files()) {
      out.writeInt(file);
    }
    out.writeInt(topic.carried().size());
    for (CarriedMessage message : topic.carried()) {
      putCarried(out, message);
    }
  }

  private static void putCarried(DataOutputStream out, CarriedMessage message) throws IOException {
    MessageRef place = message.place();
    out.writeLong(place.ordinal());
    out.writeLong(place.batchPosition());
    out.writeInt(place.bodyOffset());
    out.writeInt(place.bodyLength());
    out.writeLong(message.timestampNs());
    out.writeLong(message.deferMs());
  }

  private static void putChannel(DataOutputStream out, ChannelImage channel) throws IOException {
    putText(out, channel.name());
    out.writeLong(channel.number());
    out.writeBoolean(channel.paused());
    out.writeLong(channel.epoch());
    putTexts(out, channel.policy());
  }

  private static void putTexts(DataOutputStream out, Map<String, String> texts) throws IOException {
    out.writeInt(texts.size());
    for (Map.Entry<String, String> text : new TreeMap<>(texts).entrySet()) {
      putText(out, text.getKey());
      putText(out, text.getValue());
    }
  }

  private static void putText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  // ---------------------------------------------------------------- reading

  /**
   * Reads a file.
   *
   * @throws IOException when it is damaged or of another version, naming the place ({@link
   *     io.holdfast.storage.raft.DamagedException})
   */
  public static GroupImage read(Path file) throws IOException {
    try (StateFile.Reader from = new StateFile.Reader(file)) {
      GroupImage group = null;
      TopicImage topic = null;
      ChannelImage channel = null;
      LedgerState state = null;
      while (from.next()) {
        try {
          ByteBuffer payload = from.payload();
          if ((group == null) != (from.kind() == GROUP)) {
            throw from.defect("a section of kind " + from.kind() + " is out of place");
          }
          switch (from.kind()) {
            case GROUP -> group = group(payload);
            case TOPIC -> {
              topic = topic(payload);
              group.topics().add(topic);
              channel = null;
            }
            case CHANNEL -> {
              channel = channel(payload);
              state = null;
            }
            case LEDGER -> {
              boolean isFirst = state == null;
              state = LedgerStateRecords.read(state, payload.getInt(), payload.getInt(), payload);
              if (isFirst) {
                topic.channels().add(with(channel, state));
              }
            }
            default -> throw from.defect("a section of kind " + from.kind() + " is not known");
          }
        } catch (BufferUnderflowException | IllegalArgumentException | NullPointerException e) {
          throw from.defect("a section of kind " + from.kind() + " cannot be understood: " + e);
        }
      }
      if (group == null) {
        throw from.defect("it says nothing of a group");
      }
      return group;
    }
  }

  private static GroupImage group(ByteBuffer from) {
    int version = from.get();
    if (version != VERSION) {
      throw new IllegalArgumentException("version " + version + " is not known");
    }
    return new GroupImage(
        from.getInt(),
        from.getLong(),
        from.getLong(),
        from.getInt(),
        from.get() & 0xff,
        from.getLong(),
        from.getLong(),
        new ArrayList<>());
  }

  private static TopicImage topic(ByteBuffer from) {
    return new TopicImage(
        text(from),
        from.getLong(),
        from.getLong(),
        from.get() != 0,
        from.getLong(),
        from.getLong(),
        from.getLong(),
        texts(from),
        from.getLong(),
        ranges(from),
        new JournalEnd(from.getInt(), from.getLong()),
        numbers(from),
        carried(from),
        new ArrayList<>());
  }

  private static ChannelImage channel(ByteBuffer from) {
    return new ChannelImage(
        text(from), from.getLong(), from.get() != 0, from.getLong(), texts(from), null);
  }

  private static ChannelImage with(ChannelImage channel, LedgerState state) {
    return new ChannelImage(
        channel.name(),
        channel.number(),
        channel.paused(),
        channel.epoch(),
        channel.policy(),
        state);
  }

  private static OrdinalRanges ranges(ByteBuffer from) {
    OrdinalRanges ranges = new OrdinalRanges();
    for (int left = from.getInt(); left > 0; left--) {
      ranges.add(from.getLong(), from.getLong());
    }
    return ranges;
  }

  private static List<Integer> numbers(ByteBuffer from) {
    List<Integer> numbers = new ArrayList<>();
    for (int left = from.getInt(); left > 0; left--) {
      numbers.add(from.getInt());
    }
    return numbers;
  }

  private static List<CarriedMessage> carried(ByteBuffer from) {
    List<CarriedMessage> carried = new ArrayList<>();
    for (int left = from.getInt(); left > 0; left--) {
      MessageRef place =
          new MessageRef(
              from.getLong(),
              from.getLong(),
              from.getInt(),
              from.getInt(),
              0,
              /* relocated= */ true);
      carried.add(new CarriedMessage(place, from.getLong(), from.getLong()));
    }
    return carried;
  }

  private static Map<String, String> texts(ByteBuffer from) {
    Map<String, String> texts = new TreeMap<>();
    for (int left = from.getInt(); left > 0; left--) {
      String name = text(from);
      texts.put(name, text(from));
    }
    return Map.copyOf(texts);
  }

  private static String text(ByteBuffer from) {
    byte[] text = new byte[from.getInt()];
    from.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }
}
