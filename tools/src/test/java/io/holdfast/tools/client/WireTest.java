package io.holdfast.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What pub, tail and bench say of TLS, compression, AUTH and of settings. */
class WireTest {
  @TempDir private Path home;
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private static ToolRun run(Map<String, String> environment, String... args) throws Exception {
    ToolRun run = ToolRun.as(environment, "x\n", args);
    run.code();
    return run;
  }

  private ToolRun pub(Map<String, String> environment, String... more) throws Exception {
    List<String> args =
        new ArrayList<>(List.of("pub", "-q", "-t", "t", "-b", broker.tcp().toString()));
    args.addAll(Arrays.asList(more));
    return run(environment, args.toArray(String[]::new));
  }

  @Test
  void whatIsNotGrantedIsAFailureAndNotLeftOut() throws Exception {
    for (String option : List.of("--tls", "--snappy", "--deflate")) {
      ToolRun run = pub(Map.of(), option);
      String what = option.equals("--tls") ? "TLS" : option.substring(2);
      assertEquals(1, run.code());
      assertTrue(run.err().endsWith("the broker does not do " + what + "\n"), run.err());
    }
    assertEquals(1, pub(Map.of("HOLDFAST_TLS", "true")).code());
    assertEquals(List.of(), broker.published("t"));
    assertEquals(0, pub(Map.of("HOLDFAST_TLS", "true"), "--tls=false").code());
    assertEquals(List.of("x"), broker.published("t"));
  }

  @Test
  void theSecretIsSaidOnlyToWhoWantsIt() throws Exception {
    assertEquals(0, pub(Map.of(), "--auth-secret", "right").code());
    assertTrue(!broker.commands().contains("AUTH"));
    broker.identifyAnswer = "\"auth_required\":true";
    broker.authSecret = "right";
    ToolRun none = pub(Map.of());
    assertEquals(1, none.code());
    assertTrue(none.err().contains("wants AUTH: give --auth-secret or HOLDFAST_"), none.err());
    ToolRun wrong = pub(Map.of("HOLDFAST_AUTH_SECRET", "wrong"));
    assertEquals(1, wrong.code());
    assertTrue(wrong.err().contains("E_AUTH_FAILED AUTH failed"), wrong.err());
    assertEquals(0, pub(Map.of("HOLDFAST_AUTH_SECRET", "right")).code());
    assertEquals(0, pub(Map.of("HOLDFAST_AUTH_SECRET", "wrong"), "--auth-secret=right").code());
    assertEquals(3, broker.published("t").size());
    ToolRun tail =
        run(
            Map.of("HOLDFAST_AUTH_SECRET", "right", "HOLDFAST_TCP_ADDRESS", broker.tcp() + ""),
            "tail",
            "-t",
            "t",
            "-n",
            "3");
    assertEquals("x\nx\nx\n", tail.out());
  }

  @Test
  void optionBeatsEnvironmentBeatsFile() throws Exception {
    Files.createDirectories(home.resolve(".config"));
    Files.writeString(
        home.resolve(".config/holdfast.toml"),
        "tcp_address = [\"127.0.0.1:1\", \"" + broker.tcp() + "\"]\n");
    Map<String, String> file = Map.of("HOME", home.toString());
    String[] pub = {"pub", "-q", "-t", "t"};
    assertEquals(0, run(file, pub).code());
    Map<String, String> both = Map.of("HOME", home.toString(), "HOLDFAST_TCP_ADDRESS", ":1");
    ToolRun refused = run(both, pub);
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("127.0.0.1:1: "), refused.err());
    assertEquals(0, run(both, "pub", "-q", "-t", "t", "-b", broker.tcp().toString()).code());
    Map<String, String> elsewhere =
        Map.of("HOME", home.toString(), "XDG_CONFIG_HOME", home.resolve("none").toString());
    broker.httpAnswers.put("/lookup", "{\"producers\":[]}");
    broker.httpAnswers.put("/nodes", "{\"producers\":[]}");
    ToolRun lookup = run(file, "pub", "-t", "t", "--lookup" + "d", broker.http().toString());
    assertTrue(lookup.err().endsWith("nsqlookupd knows no broker to publish to\n"), lookup.err());
    assertEquals(2, run(elsewhere, "pub", "-t", "t", "-b", "h:x").code());
  }

  @Test
  void aBadSettingIsNamed() throws Exception {
    ToolRun address = run(Map.of("HOLDFAST_TCP_ADDRESS", "h:x"), "pub", "-t", "t");
    assertEquals(2, address.code());
    assertTrue(address.err().contains("HOLDFAST_TCP_ADDRESS: 'h:x' has no valid port"));
    ToolRun http = run(Map.of("HOLDFAST_HTTP_ADDRESS", "a/b"), "admin", "topic", "list");
    assertEquals(2, http.code());
    assertTrue(http.err().contains("HOLDFAST_HTTP_ADDRESS: 'a/b' is not"), http.err());
    ToolRun tls = run(Map.of("HOLDFAST_TLS", "yes"), "stat", "-n", "1");
    assertEquals(2, tls.code());
    assertTrue(tls.err().contains("HOLDFAST_TLS: 'yes' is neither true nor false"), tls.err());
  }

  @Test
  void optionsThatExcludeEachOtherAreUsage() throws Exception {
    assertEquals(2, pub(Map.of(), "--snappy", "--deflate").code());
    assertEquals(2, pub(Map.of(), "--tls-cert", "x").code());
    assertEquals(2, pub(Map.of(), "--tls=false", "--tls-ca-file", "x").code());
    assertEquals(2, pub(Map.of(), "--auth-secret=").code());
    ToolRun missing = pub(Map.of(), "--tls-ca-file", home.resolve("none").toString());
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("none: no such file"), missing.err());
  }

  @Test
  void statLogsIn() throws Exception {
    broker.httpAnswers.put("/stats", "{\"topics\":[]}");
    Map<String, String> environment = Map.of("HOLDFAST_HTTP_ADDRESS", broker.http().toString());
    assertEquals(0, run(environment, "stat", "-n", "1", "--token", "tok").code());
    assertEquals("Bearer tok", broker.authorization);
    assertEquals(0, run(environment, "stat", "-n", "1", "--user", "a:b").code());
    assertEquals("Basic YTpi", broker.authorization);
  }
}
