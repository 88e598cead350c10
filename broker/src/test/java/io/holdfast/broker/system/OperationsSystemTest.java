package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** OPERATIONS.md is true: its backup restores, and each alert has its section. */
class OperationsSystemTest {
  private static final Path DOCUMENT = Path.of("OPERATIONS.md");
  private static final Path ALERTS = Path.of("../conf/prometheus-alerts.yml");
  private static final int BODY_BYTES = 2000;
  private static final int BATCH = 50;
  private static final int MAX_BATCHES = 1000;
  private static final int MAX_TRIES = 5;

  @Test
  void eachAlertHasItsSection() throws IOException {
    Set<String> anchors =
        Files.readAllLines(DOCUMENT).stream()
            .filter(line -> line.startsWith("#"))
            .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT).replace(' ', '-'))
            .collect(Collectors.toSet());
    List<String> runbooks =
        Pattern.compile("runbook: \"broker/OPERATIONS.md#([^\"]*)\"")
            .matcher(Files.readString(ALERTS))
            .results()
            .map(match -> match.group(1))
            .toList();
    assertFalse(runbooks.isEmpty());
    runbooks.forEach(anchor -> assertTrue(anchors.contains(anchor), anchor));
  }

  /**
   * The document's own commands copy a broker that is published to, consumed from and reclaims;
   * what was there before and is not finished is in the copy.
   */
  @Test
  void aCopyOfARunningBrokerRestores() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started("--max-bytes-per-file=1048576");
        BrokerProcess restored = BrokerProcess.of("--max-bytes-per-file=1048576")) {
      Set<String> expected = new HashSet<>();
      try (RawNsqConnection publisher = broker.connect();
          RawNsqConnection consumer = broker.subscribe("t", "c").line("RDY 100")) {
        // Each first message of a batch is given back for later, so that files keep some.
        publish(publisher, "before", 30);
        for (int i = 0; i < 30 * BATCH; i++) {
          Frame.Msg message = consumer.message();
          boolean isKept = message.text().contains("/0 ");
          consumer.line(isKept ? "REQ " + message.id() + " 600000" : "FIN " + message.id());
          if (isKept) {
            expected.add(name(message.text()));
          }
        }
        consumer.line("RDY 0").expectAlive();
        publish(publisher, "waiting", 10);
        for (int batch = 0; batch < 10; batch++) {
          for (int i = 0; i < BATCH; i++) {
            expected.add("waiting" + batch + "/" + i);
          }
        }
        // A file that vanished is a reason to begin again, as the document says.
        Process copy;
        int batches = 0;
        int tries = 0;
        do {
          copy = backup(broker.dataPath(), restored.home().resolve("copy"));
          do {
            publish(publisher, "meanwhile" + batches++, 1);
          } while (copy.isAlive() && batches < MAX_BATCHES);
          assertTrue(copy.waitFor(30, TimeUnit.SECONDS));
        } while (copy.exitValue() != 0 && ++tries < MAX_TRIES);
        assertEquals(0, copy.exitValue(), text(copy));
      }
      broker.kill9();
      Files.delete(restored.dataPath());
      Files.move(restored.home().resolve("copy"), restored.dataPath());
      restored.start();
      Set<String> got = new HashSet<>(names(restored.http(), "deferred"));
      got.addAll(names(restored.http(), "ready"));
      expected.removeAll(got);
      assertEquals(Set.of(), expected);
    }
  }

  private static void publish(RawNsqConnection to, String name, int batches) {
    for (int batch = 0; batch < batches; batch++) {
      String[] bodies = new String[BATCH];
      for (int i = 0; i < BATCH; i++) {
        bodies[i] = name + batch + "/" + i + " " + "x".repeat(BODY_BYTES);
      }
      to.mpub("t", bodies);
    }
  }

  private static String name(String body) {
    return body.substring(0, body.indexOf(' '));
  }

  private static List<String> names(Http http, String state) {
    JsonNode peeked =
        http.get("/channel/peek?topic=t&channel=c&bytes=50&n=1000&state=" + state).json();
    List<String> names = new ArrayList<>();
    peeked.path("messages").forEach(message -> names.add(name(message.path("body").asText())));
    return names;
  }

  private static Process backup(Path data, Path copy) throws IOException {
    String text = Files.readString(DOCUMENT);
    int begin = text.indexOf("```sh backup\n");
    String commands = text.substring(text.indexOf('\n', begin), text.indexOf("```", begin + 3));
    String again = "rm -rf \"$BACKUP\" \"$DATA.now\"\n" + commands;
    ProcessBuilder shell = new ProcessBuilder("sh", "-c", again).redirectErrorStream(true);
    shell.environment().put("DATA", data.toString());
    shell.environment().put("BACKUP", copy.toString());
    return shell.start();
  }

  private static String text(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
