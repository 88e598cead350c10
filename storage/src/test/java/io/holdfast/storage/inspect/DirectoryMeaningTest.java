package io.holdfast.storage.inspect;

import static io.holdfast.storage.inspect.AgreementImage.LATE;
import static io.holdfast.storage.inspect.AgreementImage.OLD;
import static io.holdfast.storage.inspect.AgreementImage.TOPIC;
import static io.holdfast.storage.inspect.DamagedFiles.files;
import static io.holdfast.storage.inspect.DamagedFiles.indexOf;
import static io.holdfast.storage.inspect.DamagedFiles.overwrite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Those who look at a directory that is whole see what a broker makes of it, too: by its metadata,
 * after power cuts, with dead letters and after a rewind. See {@link DirectoryAgreementTest}.
 */
class DirectoryMeaningTest {
  @TempDir Path dir;

  private AgreementImage at;

  @BeforeEach
  void write() throws IOException {
    at = new AgreementImage(dir);
  }

  @AfterEach
  void stop() {
    at.close();
  }

  /** Its ephemeral channels had everything, or they took nothing away: the broker decides. */
  @Test
  void shouldAgreeOnATopicThatOnlyEphemeralChannelsHad() throws Exception {
    for (long handedOver : new long[] {TopicRecovery.NOTHING_KEPT, 10}) {
      at.copy();
      DurableFiles.deleteTree(at.image.resolve("topics/t/channels/old"));
      DurableFiles.deleteTree(at.image.resolve("topics/t/channels/late"));
      try (DataDir data = DataDir.open(at.image)) {
        data.writeMetadata(
            new Metadata(
                DataFormat.FIRST,
                7,
                List.of(new Metadata.TopicEntry(TOPIC, 3, false, handedOver, List.of()))));
        data.markClean();
      }
      AgreementImage.Seen seen = at.look();
      assertEquals(handedOver < 0 ? 0 : at.bodies.size() - handedOver, seen.topicDepth);
      at.assertAgreed("handed over " + handedOver, seen);
    }
  }

  /** What a power cut made the broker skip is no message, and no defect. */
  @Test
  void shouldAgreeOnWhatAPowerCutMadeItSkip() throws Exception {
    at.copy();
    for (int cuts = 0; cuts < 3; cuts++) {
      Files.writeString(at.image.resolve("holdfast.lock"), "4711\nanother boot\n");
      try (DataDir data = DataDir.open(at.image)) {
        assertTrue(data.mayHaveLostPower());
        try (OpenedTopic topic = new OpenedTopic(data, TOPIC, at.options, at.syncThread)) {
          topic.publish("after cut " + cuts);
          data.writeMetadata(topic.metadata(AgreementImage.metadata()));
        }
        data.markClean();
      }
      AgreementImage.Seen seen = at.look();
      assertEquals(List.of(), seen.defects.stream().filter(d -> !d.harmless()).toList());
      assertTrue(seen.exported.get(OLD).containsValue("after cut " + cuts));
      at.assertAgreed("after cut " + cuts, seen);
    }
  }

  /** Dead letters, redriven ones, a rewind; and one that lacks its end. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldAgreeOnDeadLettersAndARewind(boolean whole) throws Exception {
    at.copy();
    final long first = at.batches.get(12).firstOrdinal();
    try (DataDir data = DataDir.open(at.image);
        ChronicleJournal journal =
            new ChronicleJournal(data.journalDir(TOPIC), at.options, at.syncThread)) {
      ChronicleBackend late = at.backend(data, journal, LATE);
      makeDead(late, List.copyOf(late.takeHeld()));
      late.close();
      ChronicleBackend old = at.backend(data, journal, OLD);
      List<HeldMessage> dead = makeDead(old, List.copyOf(old.takeHeld()));
      assertTrue(dead.stream().anyMatch(message -> message.ref().ordinal() < first));
      old.rewind(
          first,
          journal.relocationsFrom(first),
          dead.stream().filter(message -> message.ref().ordinal() < first).toList());
      old.close();
      data.markClean();
    }
    if (!whole) {
      List<Path> ledger = files(at.image.resolve("topics/t/channels/old"));
      Path newest = ledger.get(ledger.size() - 1);
      byte[] end = {0x48, 0x4c, 2, 7};
      overwrite(newest, indexOf(Files.readAllBytes(newest), end) - 4, new byte[64]);
    }
    AgreementImage.Seen seen = at.look();
    if (whole) {
      assertEquals(List.of(), seen.defects);
    }
    boolean hasAll =
        at.bodies.keySet().stream()
            .allMatch(o -> o < first || seen.exported.get(OLD).containsKey(o));
    assertEquals(whole, hasAll);
    at.assertAgreed(whole ? "rewound" : "not rewound", seen);
  }

  /** All that is held is dead, but for one that was redriven. */
  private static List<HeldMessage> makeDead(ChronicleBackend channel, List<HeldMessage> held)
      throws IOException {
    List<HeldMessage> dead = new ArrayList<>();
    for (HeldMessage message : held) {
      dead.add(HeldMessage.dead(message.ref(), 77, HeldMessage.Mark.DEAD_ATTEMPTS));
    }
    channel.hold(dead);
    HeldMessage redriven = dead.remove(dead.size() - 1);
    redriven.ref().redrive();
    channel.hold(List.of(new HeldMessage(redriven.ref(), 0)));
    return dead;
  }
}
