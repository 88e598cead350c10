package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What finished messages {@code retain_for} and {@code retain_bytes} keep is what a rewind gives.
 */
class RetentionSystemTest {
  private static final int FILE_BYTES = 1 << 20;
  private static final int BODY_BYTES = 10_000;
  private static final int MESSAGES = 800;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private BrokerProcess broker;
  private Http http;

  @BeforeEach
  void start() {
    broker = BrokerProcess.started("--max-bytes-per-file=" + FILE_BYTES);
    http = broker.http();
    http.post("/topic/create?topic=t").expect(200, "");
    http.post("/channel/create?topic=t&channel=c").expect(200, "");
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private void policy(String fields) {
    Http.Response response = http.post("/topic/policy?topic=t", fields);
    assertEquals(200, response.status(), response.body());
  }

  /** Publishes and finishes; what is kept of it. */
  private void fill() {
    String filler = "x".repeat(BODY_BYTES);
    try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 100")) {
      for (int i = 0; i < MESSAGES; i += 50) {
        String[] bodies = new String[50];
        for (int j = 0; j < bodies.length; j++) {
          bodies[j] = String.format("%05d", i + j) + filler;
        }
        conn.mpub("t", bodies);
        conn.messages(bodies.length).forEach(conn::fin);
      }
      conn.flushed();
    }
    http.awaitChannelCount("t", "c", "in_flight_count", 0);
  }

  private long files() {
    try (Stream<Path> files = Files.list(broker.dataPath().resolve("topics/t/journal"))) {
      return files.filter(file -> file.toString().endsWith(".cq4")).count();
    } catch (IOException e) {
      return Long.MAX_VALUE; // one was removed meanwhile
    }
  }

  /** Numbers of the messages that the topic still has. */
  private List<Integer> kept() {
    List<Integer> numbers = new ArrayList<>();
    for (JsonNode message :
        http.get("/topic/peek?topic=t&n=1000&bytes=5").json().path("messages")) {
      numbers.add(Integer.parseInt(message.path("body").asText()));
    }
    return numbers;
  }

  /**
   * What a rewind to the start gives: exactly what the topic has, and it says so. Asked for after
   * the rewind, as unfinished messages stay while finished ones may go at any moment.
   */
  private List<Integer> rewound() {
    JsonNode answer = http.post("/channel/rewind?topic=t&channel=c&to=start").json();
    List<Integer> kept = kept();
    assertEquals(kept.size(), answer.path("ready").asInt(), answer.toString());
    List<Integer> came = new ArrayList<>();
    try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 50")) {
      while (came.size() < kept.size()) {
        Frame.Msg message = conn.message();
        came.add(Integer.parseInt(message.text().substring(0, 5)));
        conn.fin(message);
      }
      conn.flushed();
    }
    assertEquals(kept, came);
    http.awaitChannelCount("t", "c", "in_flight_count", 0);
    assertEquals(0, http.channel("t", "c").path("depth").asInt());
    return kept;
  }

  private static void assertNewest(List<Integer> kept) {
    for (int i = 0; i < kept.size(); i++) {
      assertEquals(MESSAGES - kept.size() + i, kept.get(i), kept::toString);
    }
  }

  @Test
  void soManyBytesAreKeptAndRewoundTo() {
    int keptBytes = 3 << 20;
    policy("{\"retain_bytes\":\"3MiB\"}");
    fill();
    // What is to be kept, a file, and the one that is written; the others go one after another.
    Awaitility.await()
        .atMost(PATIENCE)
        .until(() -> (long) kept().size() * BODY_BYTES <= keptBytes + 2L * FILE_BYTES);
    List<Integer> kept = rewound();
    assertNewest(kept);
    assertTrue(
        (long) kept.size() * BODY_BYTES >= keptBytes - FILE_BYTES, kept.size() + " messages");
    broker.kill9();
    broker.start();
    http = broker.http();
    assertNewest(rewound());
    // And what is unfinished stays, however old.
    assertEquals(200, http.post("/channel/rewind?topic=t&channel=c&to=start").status());
    List<Integer> owed = kept();
    policy("{\"retain_bytes\":1}");
    assertEquals(owed, rewound());
    Awaitility.await().atMost(PATIENCE).until(() -> files() <= 2);
  }

  @Test
  void soLongTheyAreKeptAndRewoundTo() {
    policy("{\"retain_for\":\"1h\"}");
    fill();
    long all = files();
    assertTrue(all >= 5, all + " files");
    assertEquals(MESSAGES, rewound().size());
    assertEquals(all, files());
    policy("{\"retain_for\":\"1s\"}");
    Awaitility.await().atMost(PATIENCE).until(() -> files() <= 2);
    List<Integer> kept = rewound();
    assertNewest(kept);
    assertTrue(kept.size() < MESSAGES / 2, kept.size() + " messages");
  }
}
