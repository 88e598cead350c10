package io.holdfast.tools.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.tools.ToolProcess;
import io.holdfast.tools.ToolRun;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tools with the real broker that demands TLS with a client certificate, and AUTH. */
class WireSystemTest {
  private static final Pattern TCP = Pattern.compile("TCP: listening on \\S*:(\\d+)");
  private static final Pattern HTTPS = Pattern.compile("HTTPS: listening on \\S*:(\\d+)");
  private static final String PASSWORD = "password";

  @TempDir private static Path temp;
  private static HttpServer authServer;
  private static ToolProcess broker;
  private static Map<String, String> environment;

  @BeforeAll
  static void start() throws Exception {
    authServer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    authServer.createContext(
        "/auth",
        exchange -> {
          boolean right = exchange.getRequestURI().getQuery().contains("secret=job:s&");
          byte[] answer =
              ("{\"ttl\":60,\"identity\":\"job\",\"authorizations\":[{\"topic\":\".*\","
                      + "\"channels\":[\".*\"],\"permissions\":[\"subscribe\",\"publish\"]}]}")
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(right ? 200 : 403, right ? answer.length : -1);
          if (right) {
            exchange.getResponseBody().write(answer);
          }
          exchange.close();
        });
    authServer.start();
    certificate("ours");
    certificate("others");
    Path pem = temp.resolve("ours.pem");
    Files.createDirectories(temp.resolve("data"));
    broker =
        ToolProcess.start(
            temp,
            String.join(
                " ",
                "exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar",
                Path.of("..", "broker", "target", "holdfast.jar").toAbsolutePath().toString(),
                "--data-path",
                temp.resolve("data").toString(),
                "--tcp-address 127.0.0.1:0 --http-address= --https-address 127.0.0.1:0",
                "--tls-client-auth-policy require-verify",
                "--tls-cert " + pem + " --tls-key " + temp.resolve("ours.key"),
                "--tls-root-ca-file " + pem,
                "--auth-http-address 127.0.0.1:" + authServer.getAddress().getPort()));
    environment =
        Map.of(
            "HOLDFAST_TCP_ADDRESS",
            "127.0.0.1:" + port(TCP),
            "HOLDFAST_HTTP_ADDRESS",
            "127.0.0.1:" + port(HTTPS),
            "HOLDFAST_TLS_CA_FILE",
            pem.toString(),
            "HOLDFAST_TLS_CERT",
            pem.toString(),
            "HOLDFAST_TLS_KEY",
            temp.resolve("ours.key").toString(),
            "HOLDFAST_AUTH_SECRET",
            "job:s");
  }

  @AfterAll
  static void stop() {
    broker.close();
    authServer.stop(0);
  }

  private static String port(Pattern pattern) {
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> pattern.matcher(broker.out() + broker.err()).find());
    Matcher matcher = pattern.matcher(broker.out() + broker.err());
    matcher.find();
    return matcher.group(1);
  }

  /** Makes {@code name.pem} and {@code name.key}, signed by themselves, for 127.0.0.1. */
  private static void certificate(String name) throws Exception {
    Path store = temp.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                name,
                "-dname",
                "CN=" + name,
                "-ext",
                "san=ip:127.0.0.1",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "30",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, keytool.waitFor(), said);
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    pem(name + ".pem", "CERTIFICATE", keys.getCertificate(name).getEncoded());
    pem(name + ".key", "PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded());
  }

  private static void pem(String file, String type, byte[] der) throws Exception {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        temp.resolve(file),
        "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n");
  }

  private static ToolRun run(String input, List<String> more, String... args) throws Exception {
    List<String> all = new ArrayList<>(Arrays.asList(args));
    all.addAll(more);
    ToolRun run = ToolRun.as(environment, input, all.toArray(String[]::new));
    run.code();
    return run;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--snappy", "--deflate"})
  void pubTailAndBench(String compression) throws Exception {
    List<String> more = compression.isEmpty() ? List.of() : List.of(compression);
    String topic = "t" + compression.replace("-", "");
    String large = "large " + "abcdefghij".repeat(30_000);
    StringBuilder lines = new StringBuilder(large).append('\n');
    for (int i = 0; i < 1000; i++) {
      lines.append(i).append('\n');
    }
    ToolRun pub = run(lines.toString(), more, "pub", "-q", "-t", topic);
    assertEquals(0, pub.code(), pub.err());
    ToolRun tail = run("", more, "tail", "-q", "-t", topic, "-c", "c", "-n", "1001");
    assertEquals(0, tail.code(), tail.err());
    assertEquals(lines.toString(), tail.out());
    ToolRun bench =
        run("", more, "bench", "both", "--count", "2000", "-t", "b" + topic, "--warmup", "0");
    assertEquals(0, bench.code(), bench.err());
  }

  @Test
  void httpsToo() throws Exception {
    ToolRun stat = run("", List.of(), "stat", "-n", "1");
    assertEquals(0, stat.code(), stat.err());
    ToolRun top = run("", List.of(), "admin", "top", "-n", "1");
    assertEquals(0, top.code(), top.err());
  }

  @Test
  void whoIsNotTrustedIsToldInALine() throws Exception {
    ToolRun stranger =
        run("x\n", List.of("--tls-ca-file", temp.resolve("others.pem") + ""), "pub", "-t", "t");
    assertEquals(1, stranger.code());
    assertTrue(stranger.err().contains(": TLS failed: "), stranger.err());
    assertEquals(1, stranger.err().lines().count(), stranger.err());
    List<String> wrongCertificate =
        List.of(
            "--tls-cert",
            temp.resolve("others.pem").toString(),
            "--tls-key",
            temp.resolve("others.key").toString());
    ToolRun refused = run("x\n", wrongCertificate, "tail", "-t", "t", "-n", "1");
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("TLS failed: "), refused.err());
    ToolRun wrong = run("x\n", List.of("--auth-secret", "job:t"), "pub", "-t", "t");
    assertEquals(1, wrong.code());
    assertTrue(wrong.err().contains("E_AUTH_FAILED AUTH failed"), wrong.err());
    ToolRun clear = run("x\n", List.of("--tls=false"), "pub", "-t", "t");
    assertEquals(1, clear.code());
    assertTrue(clear.err().contains("TLS"), clear.err());
  }

  @Test
  void theShippedJarCompresses() throws Exception {
    StringBuilder script = new StringBuilder();
    environment.forEach((name, value) -> script.append(name + "='" + value + "' "));
    try (ToolProcess pub =
        ToolProcess.start(temp, "echo x | " + script + "$TOOLS pub -q -t jar --snappy")) {
      assertEquals(0, pub.code(), pub.err());
      assertEquals("", pub.err());
    }
  }
}
