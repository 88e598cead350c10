package io.holdfast.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

  @Test
  void shouldPrintACompletionScript() throws Exception {
    ToolRun run = ToolRun.start("", "generate-completion");
    assertEquals(0, run.code());
    assertTrue(run.out().contains("_complete_holdfast-tools"), run.out());
    assertTrue(run.out().contains("--topic"), run.out());
  }

  @Test
  void shouldPrintTheVersion() throws Exception {
    ToolRun run = ToolRun.start("", "--version");
    assertEquals(0, run.code());
    assertTrue(run.out().startsWith("holdfast-tools "), run.out());
  }
}
