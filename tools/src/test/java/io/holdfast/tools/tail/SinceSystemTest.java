package io.holdfast.tools.tail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.ToolProcess;
import io.holdfast.tools.ToolRun;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
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

/** What the real broker's topics still have is printed and copied, and nothing there changes. */
class SinceSystemTest {
  private static final Pattern LISTENING = Pattern.compile("(TCP|HTTP): listening on \\S*?:(\\d+)");

  @TempDir private static Path temp;
  private static ToolProcess broker;
  private static String tcp;
  private static String http;

  @BeforeAll
  static void start() throws Exception {
    Files.createDirectories(temp.resolve("data"));
    Path jar = Path.of("..", "broker", "target", "holdfast.jar").toAbsolutePath();
    broker =
        ToolProcess.start(
            temp,
            "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "
                + jar
                + " --retention=1h --max-msg-size=3000000 --max-body-size=6000000 --data-path "
                + temp.resolve("data")
                + " --tcp-address 127.0.0.1:0 --http-address 127.0.0.1:0");
    await()
        .atMost(Duration.ofMinutes(3))
        .until(
            () -> {
              Matcher matcher = LISTENING.matcher(broker.out() + broker.err());
              while (matcher.find()) {
                String address = "127.0.0.1:" + matcher.group(2);
                if (matcher.group(1).equals("TCP")) {
                  tcp = address;
                } else {
                  http = address;
                }
              }
              return tcp != null && http != null;
            });
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static void publish(String topic, String lines) throws Exception {
    assertEquals(0, ToolRun.start(lines, "pub", "-q", "-t", topic, "-b", tcp).code());
  }

  private static ToolRun run(String... args) throws Exception {
    ToolRun run = ToolRun.start("", args);
    run.code();
    return run;
  }

  private static ToolRun admin(String... args) throws Exception {
    List<String> all = new ArrayList<>(List.of("admin", "-b", http));
    all.addAll(List.of(args));
    ToolRun run = run(all.toArray(String[]::new));
    assertEquals(0, run.code(), run.err());
    return run;
  }

  /** What a topic has, as text a line. */
  private static String bodies(String topic) throws Exception {
    return run(
            "tail",
            "-q",
            "-t",
            topic,
            "-b",
            tcp,
            "--nsqd-http-address",
            http,
            "--since",
            "1h",
            "-n",
            Integer.toString(count(topic)))
        .out();
  }

  private static int count(String topic) throws Exception {
    String json = admin("topic", "peek", topic, "-n", "1000", "--bytes", "0", "--json").out();
    return json.split("\"id\"", -1).length - 1;
  }

  @Test
  void tailPrintsWhatIsThereAndGoesOn() throws Exception {
    admin("topic", "create", "t");
    admin("channel", "create", "t", "c");
    publish("t", "a\nb\nc\n");
    // Finished and retained.
    assertEquals(0, run("tail", "-q", "-t", "t", "-c", "c", "-n", "3", "-b", tcp).code());
    String before = admin("channel", "list", "t", "--json").out();
    try (ToolProcess tail =
        ToolProcess.start(
            temp,
            "exec $TOOLS tail -q -t t --since 1h -n 6 -b "
                + tcp
                + " --nsqd-http-address "
                + http)) {
      await().atMost(Duration.ofMinutes(2)).until(() -> tail.out().equals("a\nb\nc\n"));
      publish("t", "d\ne\n");
      await().atMost(Duration.ofMinutes(2)).until(() -> tail.out().equals("a\nb\nc\nd\ne\n"));
      publish("t", "f\ng\n");
      assertEquals(0, tail.code(), tail.err());
      assertEquals("a\nb\nc\nd\ne\nf\n", tail.out());
    }
    assertEquals(1, before.split("\"channel\"", -1).length - 1);
    await()
        .atMost(Duration.ofMinutes(1))
        .until(
            () ->
                admin("channel", "list", "t", "--json").out().split("\"channel\"", -1).length == 2);
    String after = admin("channel", "list", "t", "--json").out();
    assertTrue(after.contains("\"depth\":4"), after);
    // Only what is newer, and JSON of what nobody was delivered.
    String later = Instant.now().toString();
    publish("t", "h\n");
    String json =
        run(
                "tail",
                "-q",
                "-t",
                "t",
                "--since",
                later,
                "-n",
                "1",
                "-b",
                tcp,
                "--nsqd-http-address",
                http,
                "-f",
                "json")
            .out();
    assertTrue(json.contains("\"topic\":\"t\"") && json.contains("\"body\":\"h\""), json);
  }

  @Test
  void tailOfATopicWithoutChannelsPrintsEachOnceAndLeavesTheBacklog() throws Exception {
    publish("kept", "old\n");
    Instant from = Instant.now();
    publish("kept", "x\ny\n");
    try (ToolProcess tail =
        ToolProcess.start(
            temp,
            "exec $TOOLS tail -q -t kept -n 3 --since "
                + from
                + " -b "
                + tcp
                + " --nsqd-http-address "
                + http)) {
      await().atMost(Duration.ofMinutes(2)).until(() -> tail.out().equals("x\ny\n"));
      publish("kept", "z\n");
      assertEquals(0, tail.code(), tail.err());
      assertEquals("x\ny\nz\n", tail.out());
    }
    ToolRun consumer = run("tail", "-q", "-t", "kept", "-c", "c", "-n", "4", "-b", tcp);
    assertEquals("old\nx\ny\nz\n", consumer.out());
  }

  @Test
  void pubCopiesATopicAndLeavesItAsItIs() throws Exception {
    publish("from", "eu 1\nus 2\neu 3\n");
    assertEquals(
        0,
        run("pub", "-q", "-t", "all", "-b", tcp, "--from-topic", "from", "--from-broker", http)
            .code());
    assertEquals("eu 1\nus 2\neu 3\n", bodies("all"));
    assertEquals(
        0,
        run(
                "pub",
                "-q",
                "-t",
                "eu",
                "-b",
                tcp,
                "--from-topic",
                "from",
                "--nsqd-http-address",
                http,
                "--match",
                "^eu",
                "--since",
                "1h")
            .code());
    assertEquals("eu 1\neu 3\n", bodies("eu"));
    Instant between = Instant.now();
    publish("from", "eu 4\n");
    assertEquals(
        0,
        run(
                "pub",
                "-q",
                "-t",
                "new",
                "-b",
                tcp,
                "--from-topic",
                "from",
                "--from-broker",
                http,
                "--since",
                between.toString())
            .code());
    assertEquals("eu 4\n", bodies("new"));
    assertEquals(
        0,
        run(
                "pub",
                "-q",
                "-t",
                "old",
                "-b",
                tcp,
                "--from-topic",
                "from",
                "--from-broker",
                http,
                "--until",
                between.toString())
            .code());
    assertEquals("eu 1\nus 2\neu 3\n", bodies("old"));
    // Into itself: what is there now, once.
    ToolRun self =
        run("pub", "-t", "from", "-b", tcp, "--from-topic", "from", "--from-broker", http);
    assertEquals(0, self.code(), self.err());
    assertTrue(self.err().contains("published 4 messages"), self.err());
    assertEquals("eu 1\nus 2\neu 3\neu 4\neu 1\nus 2\neu 3\neu 4\n", bodies("from"));
    ToolRun missing =
        run("pub", "-q", "-t", "x", "-b", tcp, "--from-topic", "nowhere", "--from-broker", http);
    assertEquals(1, missing.code());
    assertEquals("holdfast-tools pub: " + http + ": TOPIC_NOT_FOUND", missing.err().strip());
  }

  @Test
  void bodiesAreCopiedByteByByteHoweverLarge() throws Exception {
    byte[] large = new byte[2_500_000];
    for (int i = 0; i < large.length; i++) {
      large[i] = (byte) (i * 31 + i / 251);
    }
    byte[] text =
        "\u0001\u00e4\n".repeat(400_000).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    ByteArrayOutputStream framed = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(framed)) {
      for (byte[] body : List.of(large, text, new byte[] {0, -1, 10})) {
        out.writeInt(body.length);
        out.write(body);
      }
    }
    ToolRun pub =
        ToolRun.start(
            new ByteArrayInputStream(framed.toByteArray()),
            "pub",
            "-q",
            "-t",
            "binary",
            "-f",
            "length",
            "-b",
            tcp);
    assertEquals(0, pub.code(), pub.err());
    ToolRun copy =
        run("pub", "-q", "-t", "copy", "-b", tcp, "--from-topic", "binary", "--from-broker", http);
    assertEquals(0, copy.code(), copy.err());
    String consumed =
        run("tail", "-q", "-t", "copy", "-c", "c", "-n", "3", "-f", "hex", "-b", tcp).out();
    String expected =
        List.of(large, text, new byte[] {0, -1, 10}).stream()
            .map(java.util.HexFormat.of()::formatHex)
            .reduce("", (all, hex) -> all + hex + "\n");
    assertTrue(expected.equals(consumed), "the copy differs");
  }

  @Test
  void whatMakesNoSenseIsOneLineAndExitCode2() throws Exception {
    for (String wrong :
        List.of(
            "tail -t t -b " + tcp + " --since yesterday",
            "tail -t t -b " + tcp + " --since 1h -c c",
            "tail -t t -b " + tcp + " --nsqd-http-address " + http,
            "tail -t t -b " + tcp + " --since 1h --nsqd-http-address " + http + "," + http,
            "pub -t t -b " + tcp + " --since 1h",
            "pub -t t -b " + tcp + " --from-topic s --since 1m --until 1h",
            "pub -t t -b " + tcp + " --from-topic s --match (",
            "pub -t t -b " + tcp + " --from-topic s --format json",
            "pub -t t -b " + tcp + " --from-topic s file",
            "pub -t t -b " + tcp + " --from-topic a/b",
            "pub -t t -b " + tcp + " --from-topic s --until 2026-11-22")) {
      ToolRun run = run(wrong.split(" "));
      assertEquals(2, run.code(), wrong + "\n" + run.err());
      assertTrue(run.err().startsWith("holdfast-tools " + wrong.split(" ")[0] + ": "), run.err());
    }
    ToolRun unreachable =
        run(
            "tail",
            "-q",
            "-t",
            "t",
            "-b",
            tcp,
            "--since",
            "1h",
            "--nsqd-http-address",
            "127.0.0.1:1");
    assertEquals(1, unreachable.code());
    assertTrue(unreachable.err().contains("127.0.0.1:1: no connection"), unreachable.err());
  }
}
