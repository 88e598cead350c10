package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whatever lies in the data directory: the broker starts with what is sound, and says the rest. */
class StraysSystemTest {
  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("these are Holdfast's files");
  }

  private static void makeStrays(Path data, List<Path> strays) throws IOException {
    Path topics = data.resolve("topics");
    Path journal = topics.resolve("t/journal");
    Path first = journal.resolve("19700101-000001.cq4");
    for (String copy : List.of("19700101-000002.cq4", "19700101-000009.cq4")) {
      strays.add(Files.copy(first, journal.resolve(copy)));
    }
    strays.add(Files.writeString(journal.resolve("99999999-999999.cq4"), "x"));
    strays.add(Files.createSymbolicLink(journal.resolve("l.cq4"), Path.of("/nowhere")));
    strays.add(Files.writeString(topics.resolve("t/channels/file"), "no channel"));
    Path odd = Files.createDirectory(topics.resolve("odd"));
    strays.add(Files.writeString(odd.resolve("journal"), "no journal"));
    strays.add(Files.createSymbolicLink(odd.resolve("channels"), Path.of("/nowhere")));
    strays.add(Files.writeString(topics.resolve("plain"), "no topic"));
    strays.add(Files.createSymbolicLink(topics.resolve("link"), Path.of("/nowhere")));
    for (String file :
        List.of("meta.json", "meta.json.tmp", "meta.log", "holdfast.spare", "holdfast.lock")) {
      Path path = data.resolve(file);
      Files.deleteIfExists(path);
      Files.createDirectory(path);
      strays.add(Files.writeString(path.resolve("inside"), "x").getParent());
    }
  }

  private static List<String> consumeAll(BrokerProcess broker, int count) {
    List<String> bodies = new ArrayList<>();
    try (RawNsqConnection conn = broker.subscribe("t", "ch").line("RDY 100")) {
      for (Frame.Msg message : conn.messages(count)) {
        bodies.add(new String(message.body(), StandardCharsets.ISO_8859_1));
        conn.fin(message);
      }
      conn.expectSilence(Duration.ofMillis(200));
      conn.flushed();
    }
    return bodies;
  }

  @Test
  void shouldStartWithWhatIsSoundAndSayTheRest() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started()) {
      try (RawNsqConnection conn = broker.subscribe("t", "ch")) {
        conn.mpub("t", "a", "b");
        conn.pub("t", "c");
      }
      broker.terminate();
      List<Path> strays = new ArrayList<>();
      makeStrays(broker.dataPath(), strays);
      broker.start();
      for (String topic : List.of("t", "odd", "plain", "link")) {
        assertEquals(200, broker.http().post("/pub?topic=" + topic, "d").status());
      }
      assertEquals(200, broker.http().post("/channel/create?topic=t&channel=file").status());
      assertEquals(List.of("a", "b", "c", "d"), consumeAll(broker, 4));
      String log = broker.log();
      for (Path stray : strays) {
        assertEquals(
            1,
            log.lines().filter(line -> line.contains(stray + " is not ours")).count(),
            () -> stray + "\n" + log);
      }
      broker.terminate();
      broker.start();
      assertTrue(!broker.log().contains(" is not ours"), broker::log);
      assertEquals(200, broker.http().post("/pub?topic=t", "e").status());
      assertEquals(List.of("e"), consumeAll(broker, 1));
    }
  }
}
