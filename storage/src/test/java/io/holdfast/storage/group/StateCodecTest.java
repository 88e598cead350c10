package io.holdfast.storage.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateCodecTest {
  @TempDir Path dir;

  private static CarriedMessage carried(long ordinal, int file, int offset, long deferMs) {
    MessageRef place =
        new MessageRef(ordinal, Position.of(file, offset), offset + 44, 100 + file, 0, true);
    return new CarriedMessage(place, 1_800_000_000_000_000_000L + ordinal, deferMs);
  }

  @Test
  void whatIsWrittenIsRead() throws Exception {
    OrdinalRanges skipped = new OrdinalRanges();
    skipped.add(100, 200);
    LedgerState state = new LedgerState(3);
    state.finish(5, 7);
    ChannelImage channel = new ChannelImage("c", 2, true, 4, Map.of("max_dead", "9"), state);
    List<CarriedMessage> carried =
        List.of(carried(3, 8, 16 << 10, 0), carried(4, 7, Integer.MAX_VALUE - 200, 5000));
    TopicImage topic =
        new TopicImage(
            "t \u00e4",
            1,
            1L << 40,
            true,
            300,
            -1,
            8,
            Map.of("ttl", "1h"),
            300,
            skipped,
            new JournalEnd(8, 20_000),
            List.of(7, 8),
            carried,
            List.of(channel));
    Path file = dir.resolve(StateCodec.FILE);
    GroupImage image = new GroupImage(2, 12, 3, -5, 1, 9, 1L << 41, List.of(topic));
    StateCodec.write(image, Disk.LOCAL, file);
    GroupImage read = StateCodec.read(file);
    assertEquals(
        "2 12 3 -5 1 9 " + (1L << 41),
        String.join(
            " ",
            List.of(
                "" + read.group(),
                "" + read.index(),
                "" + read.term(),
                "" + read.crc(),
                "" + read.format(),
                "" + read.nextNumber(),
                "" + read.nextIdBase())));
    TopicImage is = read.topics().get(0);
    assertEquals(topic.name(), is.name());
    assertEquals(topic.neededFrom(), is.neededFrom());
    assertEquals(topic.end(), is.end());
    assertEquals(topic.files(), is.files());
    assertEquals(100, is.skipped().overlap(0, 300));
    assertEquals(text(carried), text(is.carried()));
    assertEquals(300, is.endOf(is.channels().get(0)));
    LedgerState has = is.channels().get(0).state();
    assertEquals(
        List.of(3L, false, true), List.of(has.floor(), has.isFinished(3), has.isFinished(5)));
  }

  private static List<String> text(List<CarriedMessage> messages) {
    return messages.stream()
        .map(
            message -> {
              MessageRef place = message.place();
              assertTrue(place.isRelocated());
              return place.ordinal()
                  + " at "
                  + place.batchPosition()
                  + " body "
                  + place.bodyOffset()
                  + "+"
                  + place.bodyLength()
                  + " of "
                  + message.timestampNs()
                  + " defers "
                  + message.deferMs();
            })
        .toList();
  }
}
