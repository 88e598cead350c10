package io.holdfast.tools.tail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.tools.ToolProcess;
import io.holdfast.tools.ToolRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looking at a topic of the real broker leaves what it keeps to those who consume. */
class TailSystemTest {
  private static final Pattern TCP = Pattern.compile("TCP: listening on \\S*:(\\d+)");

  @TempDir private Path temp;
  private ToolProcess broker;
  private String address;

  @BeforeEach
  void start() throws Exception {
    Files.createDirectories(temp.resolve("data"));
    Path jar = Path.of("..", "broker", "target", "holdfast.jar").toAbsolutePath();
    broker =
        ToolProcess.start(
            temp,
            "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "
                + jar
                + " --data-path "
                + temp.resolve("data")
                + " --tcp-address 127.0.0.1:0 --http-address 127.0.0.1:0");
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> TCP.matcher(broker.out() + broker.err()).find());
    Matcher matcher = TCP.matcher(broker.out() + broker.err());
    matcher.find();
    address = "127.0.0.1:" + matcher.group(1);
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private void publish(String lines) throws Exception {
    assertEquals(0, ToolRun.start(lines, "pub", "-q", "-t", "t", "-b", address).code());
  }

  private ToolProcess look(String more) throws Exception {
    return ToolProcess.start(temp, "exec $TOOLS tail -q -t t -b " + address + " " + more);
  }

  @Test
  void shouldLeaveTheBacklogHoweverItEnds() throws Exception {
    publish("a\nb\nc\n");
    try (ToolProcess some = look("-n 2")) {
      assertEquals(0, some.code(), some.err());
      assertEquals("a\nb\n", some.out());
    }
    try (ToolProcess interrupted = look("");
        ToolProcess killed = look("")) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> interrupted.out().equals("a\nb\nc\n") && killed.out().equals("a\nb\nc\n"));
      publish("d\n");
      await().until(() -> killed.out().equals("a\nb\nc\nd\n"));
      interrupted.signal("INT");
      assertEquals(130, interrupted.code());
      killed.signal("KILL");
      killed.code();
    }
    publish("e\n");
    ToolRun lasting = ToolRun.start("", ("tail -q -t t -c c -n 5 -b " + address).split(" "));
    assertEquals(0, lasting.code(), lasting.err());
    assertEquals("a\nb\nc\nd\ne\n", lasting.out());
  }
}
