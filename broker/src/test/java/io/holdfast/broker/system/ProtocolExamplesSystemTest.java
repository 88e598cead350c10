package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * PROTOCOL.md is true: its examples are run against the broker, in the order of the document, and
 * its endpoints are the broker's. How an example reads is said at the document's top.
 */
class ProtocolExamplesSystemTest {
  private static final Path DOCUMENT = Path.of("PROTOCOL.md");
  private static final Path HTTP_SOURCES = Path.of("src/main/java/io/holdfast/broker/http");
  private static final Pattern ENDPOINT = Pattern.compile("`(GET|POST|PUT) (/[^`]*)`");
  private static final Pattern ROUTE = Pattern.compile("\"(GET|POST|PUT)\",\\s*\"(/[^\"]*)\"");

  /** Pages for people and what they alone ask for: these may change from version to version. */
  private static final Pattern NO_INTERFACE = Pattern.compile(" /($|debug/|console/|history$)");

  private static final int PATIENCE_MS = 15_000;

  /**
   * A fenced block.
   *
   * @param kind what stands behind the fence
   * @param line where it begins in the document
   */
  private record Block(String kind, int line, List<String> lines) {}

  @TempDir static Path dir;
  private static List<String> document;
  private static BrokerProcess broker;
  private static BrokerProcess withUsers;

  @BeforeAll
  static void start() throws IOException {
    document = Files.readAllLines(DOCUMENT);
    Path users = dir.resolve("users");
    Files.write(users, blocks(Set.of("users")).get(0).lines());
    broker = BrokerProcess.started();
    withUsers = BrokerProcess.started("--http-users-file=" + users, "--http-anonymous-role=none");
  }

  @AfterAll
  static void stop() {
    broker.close();
    withUsers.close();
  }

  private static List<Block> blocks(Set<String> kinds) {
    List<Block> blocks = new ArrayList<>();
    Block open = null;
    for (int i = 0; i < document.size(); i++) {
      String line = document.get(i);
      if (!line.startsWith("```")) {
        if (open != null) {
          open.lines().add(line);
        }
      } else if (open == null) {
        open = new Block(line.substring(3), i + 1, new ArrayList<>());
      } else {
        if (kinds.contains(open.kind())) {
          blocks.add(open);
        }
        open = null;
      }
    }
    return blocks;
  }

  @TestFactory
  Stream<DynamicTest> examples() {
    List<Block> blocks = blocks(Set.of("nsq", "bytes", "http", "http users"));
    assertTrue(blocks.size() > 20, () -> "only " + blocks.size() + " examples found");
    return blocks.stream()
        .map(
            block ->
                DynamicTest.dynamicTest(
                    "line " + block.line() + ": " + block.lines().get(0), () -> run(block)));
  }

  private static void run(Block block) throws IOException {
    switch (block.kind()) {
      case "nsq" -> runNsq(block.lines());
      case "bytes" -> runBytes(block.lines());
      case "http" -> runHttp(broker.http(), block.lines());
      default -> runHttp(withUsers.http(), block.lines());
    }
  }

  private static void runNsq(List<String> lines) {
    String id = "";
    try (RawNsqConnection connection = broker.connect()) {
      for (String line : lines) {
        String text = behindMark(line).replace("{id}", id);
        switch (mark(line)) {
          case ">" -> connection.line(text);
          case ">>" -> connection.send(sized(text));
          case ">>>" -> connection.send(sized(batch(text.split(", "))));
          default -> {
            if (text.equals("closed")) {
              connection.expectClosed();
            } else if (text.startsWith("2 ")) {
              Frame.Msg message = connection.message();
              id = message.id();
              assertEquals(text, "2 attempts=" + message.attempts() + " " + message.text());
            } else {
              String got =
                  text.startsWith("0 ")
                      ? "0 " + connection.expectResponse()
                      : "1 " + connection.expectErrorLike("");
              assertMatches(text, got);
            }
          }
        }
      }
    }
  }

  private static void runBytes(List<String> lines) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), broker.tcpPort())) {
      socket.setSoTimeout(PATIENCE_MS);
      DataInputStream in = new DataInputStream(socket.getInputStream());
      for (String line : lines) {
        byte[] bytes = hex(behindMark(line));
        if (mark(line).equals(">")) {
          socket.getOutputStream().write(bytes);
        } else {
          byte[] got = in.readNBytes(bytes.length);
          assertEquals(HexFormat.of().formatHex(bytes), HexFormat.of().formatHex(got));
        }
      }
    }
  }

  /** The bytes at the line's begin; what follows is for people. */
  private static byte[] hex(String line) {
    String digits =
        Arrays.stream(line.split(" +"))
            .takeWhile(word -> word.matches("[0-9a-f]{2}"))
            .collect(Collectors.joining());
    return HexFormat.of().parseHex(digits);
  }

  private static void runHttp(Http http, List<String> lines) {
    List<String> request = marked(lines, ">");
    String body = String.join("\n", marked(lines, ">>"));
    StringBuilder bytes = new StringBuilder(request.get(0) + " HTTP/1.1\r\n");
    bytes.append("Host: 127.0.0.1\r\nConnection: close\r\n");
    request.stream().skip(1).forEach(header -> bytes.append(header).append("\r\n"));
    if (!request.get(0).startsWith("GET")) {
      bytes.append("Content-Length: ").append(body.length()).append("\r\n");
    }
    Http.Response response = http.raw(bytes + "\r\n" + body, false);
    List<String> expected = marked(lines, "<");
    assertEquals(expected.get(0), String.valueOf(response.status()), response.body());
    for (String header : expected.subList(1, expected.size())) {
      int colon = header.indexOf(':');
      assertMatches(
          header.substring(colon + 1).strip(), response.header(header.substring(0, colon)));
    }
    List<String> answer = marked(lines, "<<");
    if (!answer.isEmpty()) {
      assertMatches(
          answer.stream().map(String::strip).collect(Collectors.joining()), response.body());
    }
  }

  private static List<String> marked(List<String> lines, String mark) {
    return lines.stream()
        .filter(line -> mark(line).equals(mark))
        .map(ProtocolExamplesSystemTest::behindMark)
        .toList();
  }

  private static String mark(String line) {
    return line.substring(0, line.indexOf(' '));
  }

  private static String behindMark(String line) {
    return line.substring(line.indexOf(' ') + 1);
  }

  /** Compares with a text in which {@code ...} stands for any. */
  private static void assertMatches(String expected, String got) {
    String regex =
        Arrays.stream(expected.split("\\.\\.\\.", -1))
            .map(Pattern::quote)
            .collect(Collectors.joining(".*"));
    if (got == null || !Pattern.compile(regex, Pattern.DOTALL).matcher(got).matches()) {
      assertEquals(expected, got);
    }
  }

  @Test
  void endpointsAreTheBrokers() throws IOException {
    Set<String> documented = found(ENDPOINT, String.join("\n", document));
    Set<String> routes = new TreeSet<>();
    try (Stream<Path> sources = Files.list(HTTP_SOURCES)) {
      for (Path source : sources.toList()) {
        routes.addAll(found(ROUTE, Files.readString(source, StandardCharsets.UTF_8)));
      }
    }
    routes.removeIf(NO_INTERFACE.asPredicate());
    documented.removeIf(NO_INTERFACE.asPredicate());
    assertEquals(routes, documented);
  }

  private static Set<String> found(Pattern pattern, String text) {
    Set<String> endpoints = new TreeSet<>();
    for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
      endpoints.add(matcher.group(1) + " " + matcher.group(2));
    }
    return endpoints;
  }
}
