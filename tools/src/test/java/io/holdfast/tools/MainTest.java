package io.holdfast.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "pub ",
        "tail ",
        "stat ",
        "bench ",
        "bench pub ",
        "bench latency ",
        "dump ",
        "summary ",
        "verify ",
        "import ",
        "export "
      })
  void shouldExplainEveryCommand(String command) throws Exception {
    ToolRun run = ToolRun.start("", (command + "--help").split(" "));
    assertEquals(0, run.code());
    assertTrue(run.out().startsWith("Usage: holdfast-tools"), run.out());
    assertEquals("", run.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "pub",
        "pub --topic a --rate many",
        "pub --topic a --defer 5",
        "pub --topic a --batch 0",
        "pub --topic a/b",
        "tail --topic a --format xml",
        "tail --topic a --broker host:99999",
        "stat --interval 0",
        "bench",
        "bench pub --size 0",
        "bench both --topics 0",
        "bench latency --size 10",
        "dump",
        "dump /tmp --state lost",
        "dump /tmp --id xyz",
        "dump /tmp --since tomorrow",
        "dump /tmp --since 2026-13-01",
        "dump /tmp -b none",
        "dump /tmp -n 0",
        "dump /tmp --limit 0",
        "dump /tmp --max-body 5 --format json",
        "dump /tmp --max-body 5 --body none",
        "dump /tmp --show ledger --body hex",
        "dump /tmp --show batches --state ready",
        "dump /tmp --show ledger --since 1h",
        "verify /tmp --channel a",
        "export /tmp -t a -f length --node-id 3",
        "tail -t a -n 0",
        "tail -t a --rediscover 5s",
        "stat -n 0",
        "stat -n 1 -i 5s",
        "stat -t a/b",
        "stat -c a/b",
        "bench pub --count 0",
        "bench both --window 0",
        "bench pub --rdy 5",
        "bench pub --channel x",
        "bench sub --size 5",
        "bench sub --hdr-file x.hlog",
        "bench latency --pipeline 5",
        "import /tmp /tmp/x --dry-run --owner root",
        "export /tmp",
        "export /tmp -t a --state ready",
        "import /tmp"
      })
  void shouldSayInOneLineWhatIsWrongWithTheUsage(String command) throws Exception {
    ToolRun run = ToolRun.start("", command.split(" "));
    assertEquals(2, run.code(), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("holdfast-tools"), run.err());
    assertEquals("", run.out());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pub --topic a --broker 127.0.0.1:1",
        "pub --topic a /no/such/file",
        "pub --topic a /",
        "tail --quiet --topic a --broker 127.0.0.1:1",
        "tail --topic a --lookupd 127.0.0.1:1",
        "stat --broker 127.0.0.1:1",
        "bench pub --broker 127.0.0.1:1"
      })
  void shouldSayInOneLineWhatFailed(String command) throws Exception {
    ToolRun run = ToolRun.start("", command.split(" "));
    assertEquals(1, run.code(), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(List.of("pub", "tail", "stat", "bench").contains(run.err().split("[ :]+")[1]));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"tail -t a\u001b[2Jb", "x\u001b[2J", "pub -t a no\u001b[2J", "dump no\u001b[2J"})
  void shouldNotLetErrorsSteerTheTerminal(String command) throws Exception {
    ToolRun run = ToolRun.start("", command.split(" "));
    assertTrue(run.code() > 0);
    assertTrue(run.err().contains("\\u001b[2J"), run.err());
    assertTrue(run.err().indexOf('\u001b') < 0);
  }

  @ParameterizedTest
  @CsvSource({
    "bench guard, 'holdfast-tools bench guard HEAD~3 HEAD --workloads pub200,sub200 --rounds 7"
        + " --tolerance 5'",
    "bench, holdfast-tools bench pub --count 2m && holdfast-tools bench sub --count 2m",
    "'', echo hello | holdfast-tools pub --topic greetings"
  })
  void shouldNotBreakCommandsToCopy(String command, String example) throws Exception {
    ToolRun run = ToolRun.start("", (command + " --help").strip().split(" "));
    assertTrue(run.code() == 0 && run.out().contains("\n  " + example + "\n"), run.out());
  }

  @Test
  void shouldPrintACompletionScript() throws Exception {
    ToolRun run = ToolRun.start("", "generate-completion");
    assertEquals(0, run.code());
    assertTrue(run.out().contains("_complete_holdfast-tools"), run.out());
    assertTrue(run.out().contains("--topic"), run.out());
    assertTrue(run.out().contains("(\"text\" \"hex\" \"base64\" \"none\")"), run.out());
    assertTrue(run.out().contains("(\"ready\" \"unfinished\""), run.out());
  }

  @Test
  void shouldPrintTheVersion() throws Exception {
    ToolRun run = ToolRun.start("", "--version");
    assertEquals(0, run.code());
    assertTrue(run.out().startsWith("holdfast-tools "), run.out());
  }
}
