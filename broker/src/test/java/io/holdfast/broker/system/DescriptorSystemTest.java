package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** More topics than the process has descriptors for. */
class DescriptorSystemTest {
  private static final int TOPICS = 200;
  private static final int COLD = 300;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd keeps the files of all topics open");
  }

  @Test
  void shouldMakeAndOpenMoreTopicsThanItHasDescriptors() {
    try (BrokerProcess broker = BrokerProcess.of("--idle-close=1h")) {
      broker.under("prlimit", "--nofile=400").start();
      for (int i = 0; i < TOPICS; i++) {
        broker.http().post("/pub?topic=t" + i, "m").expect(200, "OK");
        broker.http().post("/channel/create?topic=t" + i + "&channel=c").expect(200, "");
      }
      broker.kill9();
      broker.start();
      Http http = broker.http();
      for (int i = 0; i < TOPICS; i += 20) {
        assertEquals(1, http.channel("t" + i, "c").path("depth").asInt());
        http.post("/pub?topic=t" + i, "m").expect(200, "OK");
      }
      String log = broker.output();
      assertEquals(1, log.lines().filter(l -> l.contains("file descriptors: at most 400")).count());
      assertTrue(!log.contains("Too many open files"), log);
    }
  }

  @Test
  void shouldServeManyColdTopicsWithFewDescriptors() throws IOException {
    try (BrokerProcess broker = BrokerProcess.of("--idle-close=1s")) {
      broker.under("prlimit", "--nofile=512").start();
      for (int i = 0; i < COLD; i++) {
        broker.http().post("/channel/create?topic=t" + make(broker, i) + "&channel=c");
      }
      broker.kill9();
      broker.start();
      // Each is opened, faster than those who come by now and then could close the others.
      try (RawNsqConnection publisher = broker.connect()) {
        StringBuilder publishes = new StringBuilder();
        for (int i = 0; i < COLD; i++) {
          publishes.append("PUB t").append(i).append('\n');
          publishes.append(RawNsqConnection.sized("m" + i));
        }
        publisher.send(publishes.toString());
        for (int i = 0; i < COLD; i++) {
          publisher.expectOk();
        }
      }
      for (int i = 0; i < COLD; i++) {
        try (RawNsqConnection consumer = broker.subscribe("t" + i, "c").line("RDY 1")) {
          Frame.Msg message = consumer.message();
          assertEquals("m" + i, message.text());
          consumer.fin(message);
          consumer.line("CLS");
          assertEquals("CLOSE_WAIT", consumer.expectResponse());
        }
      }
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> openFiles(broker), few -> few.size() < 8);
      assertEquals(0, broker.terminate());
      broker.start();
      for (int i = 0; i < COLD; i += 20) {
        assertEquals(0, broker.http().channel("t" + i, "c").path("depth").asInt());
      }
      assertFalse(broker.output().contains("Too many open files"), broker::output);
    }
  }

  private static int make(BrokerProcess broker, int topic) {
    broker.http().post("/topic/create?topic=t" + topic).expect(200, "");
    return topic;
  }

  /** Files of topics and channels that the broker has open, or mapped. */
  private static List<String> openFiles(BrokerProcess broker) throws IOException {
    List<String> open = new ArrayList<>();
    Path process = Path.of("/proc/" + broker.pid());
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        open.add(target(descriptor));
      }
    }
    open.addAll(Files.readAllLines(process.resolve("maps")));
    open.removeIf(file -> !file.contains(broker.dataPath() + "/topics/"));
    return open;
  }

  private static String target(Path descriptor) throws IOException {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (NoSuchFileException closed) {
      return "";
    }
  }
}
