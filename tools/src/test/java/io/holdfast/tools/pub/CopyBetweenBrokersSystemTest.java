package io.holdfast.tools.pub;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.ToolProcess;
import io.holdfast.tools.ToolRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code pub --from-topic} between two real brokers: what is between two times, and nothing else.
 */
class CopyBetweenBrokersSystemTest {
  private static final Pattern LISTENING = Pattern.compile("(TCP|HTTP): listening on \\S*?:(\\d+)");

  @TempDir private static Path temp;
  private static Broker source;
  private static Broker target;

  /** A broker's process and where it listens. */
  private static final class Broker {
    final ToolProcess process;
    String tcp;
    String http;

    Broker(String name) throws Exception {
      Path data = Files.createDirectories(temp.resolve(name));
      process =
          ToolProcess.start(
              temp,
              "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "
                  + Path.of("..", "broker", "target", "holdfast.jar").toAbsolutePath()
                  + " --retention=1h --data-path "
                  + data
                  + " --tcp-address 127.0.0.1:0 --http-address 127.0.0.1:0");
    }

    void awaitListening() {
      await().atMost(Duration.ofMinutes(3)).until(this::listens);
    }

    private boolean listens() {
      Matcher matcher = LISTENING.matcher(process.out() + process.err());
      while (matcher.find()) {
        String address = "127.0.0.1:" + matcher.group(2);
        if (matcher.group(1).equals("TCP")) {
          tcp = address;
        } else {
          http = address;
        }
      }
      return tcp != null && http != null;
    }

    void publish(String topic, String lines) throws Exception {
      assertEquals(0, ToolRun.start(lines, "pub", "-q", "-t", topic, "-b", tcp).code());
    }

    /** What a topic still has, finished or not. */
    String peek(String topic) throws Exception {
      return run(List.of("admin", "-b", http, "topic", "peek", topic, "-n", "1000", "--json"))
          .out();
    }

    /** What its only channel delivers, in order. */
    String consume(String topic, int count) throws Exception {
      return run(List.of("tail", "-q", "-t", topic, "-c", "c", "-n", "" + count, "-b", tcp)).out();
    }
  }

  private static ToolRun run(List<String> args) throws Exception {
    ToolRun run = ToolRun.start("", args.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
    return run;
  }

  @BeforeAll
  static void start() throws Exception {
    source = new Broker("source");
    target = new Broker("target");
    source.awaitListening();
    target.awaitListening();
  }

  @AfterAll
  static void stop() {
    for (Broker broker : new Broker[] {source, target}) {
      if (broker != null) {
        broker.process.close();
      }
    }
  }

  /** Copies from the source to the target; the summary line. */
  private static String copy(String to, String from, String... options) throws Exception {
    List<String> args = new ArrayList<>(List.of("pub", "-t", to, "-b", target.tcp));
    args.addAll(List.of("--from-topic", from, "--from-broker", source.http));
    args.addAll(List.of(options));
    return run(args).err();
  }

  @Test
  void whatIsBetweenTwoTimesIsCopiedAndTheSourceStaysAsItIs() throws Exception {
    source.publish("orders", "eu 1\nus 2\n");
    // Finished ones belong to it, too.
    assertEquals("eu 1\n", source.consume("orders", 1));
    String from = Instant.now().toString();
    source.publish("orders", "eu 3\nus 4\neu 5\n");
    String until = Instant.now().toString();
    source.publish("orders", "eu 6\n");
    String before = source.peek("orders");

    assertTrue(copy("all", "orders").startsWith("published 6 messages, "));
    assertEquals("eu 1\nus 2\neu 3\nus 4\neu 5\neu 6\n", target.consume("all", 6));
    copy("first", "orders", "--until", until);
    assertEquals("eu 1\nus 2\neu 3\nus 4\neu 5\n", target.consume("first", 5));
    copy("between", "orders", "--since", from, "--until", until);
    assertEquals("eu 3\nus 4\neu 5\n", target.consume("between", 3));
    copy("some", "orders", "--since", from, "--until", until, "--match", "^eu");
    assertEquals("eu 3\neu 5\n", target.consume("some", 2));
    // Before there was anything, and not yet.
    assertTrue(copy("none", "orders", "--until", "30m").startsWith("published 0 messages, "));
    String later = Instant.now().plusSeconds(3600).toString();
    assertTrue(copy("later", "orders", "--until", later).startsWith("published 6 messages, "));

    assertEquals(before, source.peek("orders"));
    String topics = run(List.of("admin", "-b", source.http, "topic", "list", "--json")).out();
    assertTrue(topics.contains("\"orders\"") && !topics.contains("\"all\""), topics);
  }

  @Test
  void aSourceThatIsNotThereIsOneLine() throws Exception {
    for (List<String> wrong :
        List.of(
            List.of("127.0.0.1:1", "127.0.0.1:1: no connection"),
            List.of(source.http, source.http + ": TOPIC_NOT_FOUND"))) {
      ToolRun run =
          ToolRun.start(
              "",
              "pub",
              "-q",
              "-t",
              "x",
              "-b",
              target.tcp,
              "--from-topic",
              "nowhere",
              "--from-broker",
              wrong.get(0));
      assertEquals(1, run.code());
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(run.err().startsWith("holdfast-tools pub: " + wrong.get(1)), run.err());
    }
  }
}
