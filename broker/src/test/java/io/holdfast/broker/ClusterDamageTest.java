package io.holdfast.broker;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged journals of a cluster of three: what one or two disks have lost is delivered from
 * another, whoever leads, and however often that changes.
 */
class ClusterDamageTest {
  private static final int MESSAGES = 40;
  private static final Duration SOON = Duration.ofMillis(500);

  @TempDir Path dir;
  private EmbeddedNodes nodes;

  @AfterEach
  void close() {
    if (nodes != null) {
      nodes.close();
    }
  }

  private static String body(int i) {
    return String.format(Locale.ROOT, "body-%03d", i);
  }

  @Test
  void whatADiskLostComesFromAnother() throws IOException {
    nodes = new EmbeddedNodes(dir);
    for (String name : EmbeddedNodes.NAMES) {
      // Nothing is delivered from memory.
      nodes.option(name, "mem_queue_size", "0");
      nodes.option(name, "cluster_groups", "1");
      nodes.start(name, true);
    }
    nodes.publish("a", body(0));
    post("/channel/create?topic=t&channel=c", "");
    nodes.publish("b", body(1));
    // One record, however many messages.
    post(
        "/mpub?topic=t",
        IntStream.range(2, MESSAGES).mapToObj(i -> body(i)).collect(joining("\n")));
    nodes.publish("c", "lost");
    awaitLevel();
    damage(body(0), "a", "b");
    damage(body(1), "b", "c");
    damage(body(30), "c", "a");
    // Nobody can have it, and nothing waits for it.
    damage("lost", "a", "b", "c");

    Set<String> expected = new TreeSet<>();
    IntStream.range(0, MESSAGES).forEach(i -> expected.add(body(i)));
    Set<String> got = new TreeSet<>();
    Awaitility.await("all messages")
        .atMost(EmbeddedNodes.LONG)
        .until(
            () -> {
              drain("b", got);
              return got.size() >= MESSAGES;
            });
    assertEquals(expected, got);
  }

  private void post(String path, String body) {
    Awaitility.await(path)
        .atMost(EmbeddedNodes.LONG)
        .until(() -> nodes.http("a").post(path, body).status() == 200);
  }

  private void awaitLevel() {
    Awaitility.await("all have it")
        .atMost(EmbeddedNodes.LONG)
        .until(() -> EmbeddedNodes.NAMES.stream().allMatch(node -> has(node, "lost")));
  }

  /** Whether a body is in a node's journals. */
  private boolean has(String node, String body) {
    try (Stream<Path> files = Files.walk(nodes.dir(node).resolve("topics"))) {
      for (Path file : files.filter(name -> name.toString().endsWith(".cq4")).toList()) {
        if (at(file, body) >= 0) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int at(Path file, String body) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).indexOf(body);
  }

  /** Flips a bit of a body in the journals of some nodes. */
  private void damage(String body, String... at) throws IOException {
    for (String node : at) {
      try (Stream<Path> files = Files.walk(nodes.dir(node).resolve("topics"))) {
        for (Path file : files.filter(name -> name.toString().endsWith(".cq4")).toList()) {
          int offset = at(file, body);
          if (offset >= 0) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
              channel.write(ByteBuffer.wrap(new byte[] {(byte) (body.charAt(0) ^ 1)}), offset);
            }
          }
        }
      }
    }
  }

  /** Takes and finishes what comes soon; an election may close the connection. */
  private void drain(String node, Set<String> got) {
    try (RawNsqConnection client = nodes.connect(node)) {
      client.line("SUB t c").expectOk().line("RDY 5");
      Frame frame = client.pollFrame(SOON);
      while (frame != null) {
        if (frame.type() == Frame.MESSAGE) {
          got.add(frame.message().text());
          client.fin(frame.message());
        }
        frame = client.pollFrame(SOON);
      }
    } catch (AssertionError | RuntimeException e) {
      // No leader for so long: the next connection finds one.
      assertEquals(-1, e.toString().indexOf("E_INVALID"));
    }
  }
}
