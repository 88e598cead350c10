package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Contract §1.1 to §1.4 and §1.7 without an auth server: framing, lexing, states, every command's
 * checks.
 */
class ProtocolContractSystemTest {
  private static final String NO_ID = "0123456789abcdef";
  private static BrokerProcess broker;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  // ---- §1.1 magic and lines

  @ParameterizedTest
  @ValueSource(strings = {"  V1", "    ", "PUB ", "\0\0\0\0", "V2  ", "  v2"})
  void shouldRefuseOtherMagics(String magic) {
    try (RawNsqConnection conn = broker.connectRaw()) {
      conn.send(magic).expectFatal("E_BAD_PROTOCOL");
    }
  }

  @Test
  void shouldCloseSilentlyWhenStreamEndsWithinMagic() {
    try (RawNsqConnection conn = broker.connectRaw()) {
      assertArrayEquals(new byte[0], conn.send("  V").endOutput().readToEnd());
    }
  }

  @Test
  void shouldNotReplyToMagic() {
    try (RawNsqConnection conn = broker.connect()) {
      assertArrayEquals(new byte[0], conn.endOutput().readToEnd());
    }
  }

  @Test
  void shouldFrameResponsesWithSizeAndType() {
    try (RawNsqConnection conn = broker.connect()) {
      byte[] bytes = conn.command("PUB framing", "x").endOutput().readToEnd();
      assertEquals(int32(6) + int32(0) + "OK", RawNsqConnection.latin1(bytes));
    }
  }

  static Stream<Arguments> invalidCommands() {
    return Stream.of(
        arguments("FOO\n", "FOO"),
        arguments("nop\n", "nop"),
        arguments("Pub t\n", "Pub"),
        arguments("\n", ""),
        arguments("\r\n", ""),
        arguments(" NOP\n", ""),
        arguments("NOP\r\r\n", "NOP\r"),
        arguments("NOP\t\n", "NOP\t"),
        arguments("\u00ff\u00fe\0\n", "\u00ff\u00fe\0"));
  }

  @ParameterizedTest
  @MethodSource("invalidCommands")
  void shouldRefuseUnknownCommands(String bytes, String name) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send(bytes).expectFatal("E_INVALID invalid command " + name);
    }
  }

  @Test
  void shouldStripOneCarriageReturn() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("PUB cr\r\n" + sized("x")).expectOk();
      conn.send("PUB cr\r\r\n" + sized("x"))
          .expectFatal("E_BAD_TOPIC PUB topic name \"cr\\r\" is not valid");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"NOP ", "NOP x y z", "NOP\r"})
  void shouldIgnoreSurplusParametersOfNop(String line) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.line(line).expectAlive();
    }
  }

  @Test
  void shouldIgnoreSurplusParameters() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("IDENTIFY a b", "{}").expectOk();
      conn.command("PUB surplus a b", "x").expectOk();
      conn.command("PUB surplus ", "x").expectOk();
      conn.command("MPUB surplus a", batch("x")).expectOk();
      conn.command("DPUB surplus 0 a", "x").expectOk();
      conn.line("SUB surplus ch a b").expectOk();
      conn.line("RDY 0 a").line("FIN " + NO_ID + " a");
      conn.expectError("E_FIN_FAILED FIN " + NO_ID + " failed ID not in flight");
      conn.line("REQ " + NO_ID + " 0 a");
      conn.expectError("E_REQ_FAILED REQ " + NO_ID + " failed ID not in flight");
      conn.line("TOUCH " + NO_ID + " a");
      conn.expectError("E_TOUCH_FAILED TOUCH " + NO_ID + " failed ID not in flight");
      conn.line("CLS a");
      assertEquals("CLOSE_WAIT", conn.expectResponse());
    }
  }

  @Test
  void shouldAcceptLinesUpTo16384BytesAndCloseSilentlyBeyond() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("NOP " + "x".repeat(16384 - 5) + "\n").expectAlive();
      conn.send("NOP " + "x".repeat(16384 - 4)).expectClosed();
    }
  }

  @Test
  void shouldCloseSilentlyOnPartialLineAtEnd() {
    try (RawNsqConnection conn = broker.connect()) {
      assertArrayEquals(new byte[0], conn.send("NOP").endOutput().readToEnd());
    }
  }

  @Test
  void shouldTakeCommandsByteByByte() {
    try (RawNsqConnection conn = broker.connectRaw()) {
      String bytes =
          "  V2PUB bytewise\n" + sized("body") + "MPUB bytewise\n" + sized(batch("a", "bc"));
      for (char c : (bytes + "SUB bytewise ch\nRDY 3\n").toCharArray()) {
        conn.send(String.valueOf(c));
      }
      conn.expectOk().expectOk().expectOk();
      List<String> bodies =
          new ArrayList<>(conn.messages(3).stream().map(Frame.Msg::text).toList());
      bodies.sort(null);
      assertEquals(List.of("a", "bc", "body"), bodies);
    }
  }

  @Test
  void shouldKeepReplyOrderWhenPipelined() {
    try (RawNsqConnection conn = broker.connect()) {
      StringBuilder pipeline =
          new StringBuilder("IDENTIFY\n" + sized("{\"feature_negotiation\":true}"));
      pipeline.append("PUB pipe\n").append(sized("1")).append("SUB pipe ch\n");
      for (int i = 0; i < 200; i++) {
        String id = String.format("%016d", i);
        pipeline.append("PUB pipe\n").append(sized("x")).append("FIN ").append(id).append('\n');
        pipeline
            .append("MPUB pipe\n")
            .append(sized(batch("a", "b")))
            .append("REQ ")
            .append(id)
            .append(" 0\n");
      }
      pipeline.append("CLS\n");
      conn.send(pipeline.toString());
      assertEquals('{', conn.expectResponse().charAt(0));
      conn.expectOk().expectOk();
      for (int i = 0; i < 200; i++) {
        String id = String.format("%016d", i);
        conn.expectOk().expectError("E_FIN_FAILED FIN " + id + " failed ID not in flight");
        conn.expectOk().expectError("E_REQ_FAILED REQ " + id + " failed ID not in flight");
      }
      assertEquals("CLOSE_WAIT", conn.expectResponse());
    }
  }

  @Test
  void shouldDiscardInputAfterFatalError() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("PUB discard\n" + sized("1") + "FOO\nPUB discard\n" + sized("2"));
      conn.expectOk().expectFatal("E_INVALID invalid command FOO");
    }
    assertEquals(1, broker.http().topic("discard").path("message_count").asInt());
  }

  // ---- names

  static Stream<String> validNames() {
    return Stream.of(
        "a",
        ".",
        "..",
        "-",
        "_",
        "A.b-c_9",
        "x".repeat(64),
        "e#ephemeral",
        "y".repeat(54) + "#ephemeral");
  }

  @ParameterizedTest
  @MethodSource("validNames")
  void shouldAcceptNames(String name) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.pub(name, "x").line("SUB " + name + " " + name).expectOk();
    }
  }

  /** Name as sent (ISO 8859-1) and as quoted in the answer (likewise). */
  static Stream<Arguments> invalidNames() {
    return Stream.of(
        arguments("", ""),
        arguments("#ephemeral", "#ephemeral"),
        arguments("t#eph", "t#eph"),
        arguments("t#ephemeralx", "t#ephemeralx"),
        arguments("t#ephemeral#ephemeral", "t#ephemeral#ephemeral"),
        arguments("z".repeat(65), "z".repeat(65)),
        arguments("y".repeat(55) + "#ephemeral", "y".repeat(55) + "#ephemeral"),
        arguments("a$b", "a$b"),
        arguments("a/b", "a/b"),
        arguments("a\"b\\c", "a\\\"b\\\\c"),
        arguments("\u0007\b\f\t\u000b\rx", "\\a\\b\\f\\t\\v\\rx"),
        arguments("\u0001\u001b\u007f\u0000", "\\x01\\x1b\\x7f\\x00"),
        arguments("\u00ff\u00c3", "\\xff\\xc3"),
        arguments(utf8("\u00e9\u4e16"), utf8("\u00e9\u4e16")),
        arguments(utf8("\u200b\u00a0"), "\\u200b\\u00a0"),
        arguments(utf8("\udb40\udc01"), "\\U000e0001"),
        arguments(utf8("\ud83d\ude00"), utf8("\ud83d\ude00")));
  }

  private static String utf8(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  @ParameterizedTest
  @MethodSource("invalidNames")
  void shouldRefuseNamesQuotedAsInGo(String name, String quoted) {
    for (String command : List.of("SUB", "PUB", "DPUB", "MPUB")) {
      String code = command.equals("MPUB") ? "E_BAD_TOPIC E_BAD_TOPIC " : "E_BAD_TOPIC ";
      try (RawNsqConnection conn = broker.connect()) {
        conn.line(command + " " + name + " ch")
            .expectFatal(code + command + " topic name \"" + quoted + "\" is not valid");
      }
    }
    try (RawNsqConnection conn = broker.connect()) {
      conn.line("SUB topic " + name + " x")
          .expectFatal("E_BAD_CHANNEL SUB channel name \"" + quoted + "\" is not valid");
    }
  }

  // ---- §1.2, §1.3 in state init

  static Stream<Arguments> fatalWhenInit() {
    return Stream.of(
        arguments("RDY 1", "E_INVALID cannot RDY in current state"),
        arguments("RDY x", "E_INVALID cannot RDY in current state"),
        arguments("FIN", "E_INVALID cannot FIN in current state"),
        arguments("REQ", "E_INVALID cannot REQ in current state"),
        arguments("TOUCH", "E_INVALID cannot TOUCH in current state"),
        arguments("CLS", "E_INVALID cannot CLS in current state"),
        arguments("SUB", "E_INVALID SUB insufficient number of parameters"),
        arguments("SUB t", "E_INVALID SUB insufficient number of parameters"),
        arguments("SUB t ", "E_BAD_CHANNEL SUB channel name \"\" is not valid"),
        arguments("SUB  c", "E_BAD_TOPIC SUB topic name \"\" is not valid"),
        arguments("PUB", "E_INVALID PUB insufficient number of parameters"),
        arguments("MPUB", "E_INVALID MPUB insufficient number of parameters"),
        arguments("DPUB", "E_INVALID DPUB insufficient number of parameters"),
        arguments("DPUB t", "E_INVALID DPUB insufficient number of parameters"),
        arguments("DPUB t$ x", "E_BAD_TOPIC DPUB topic name \"t$\" is not valid"),
        arguments("DPUB t x", "E_INVALID DPUB could not parse timeout x"),
        arguments("DPUB t -1", "E_INVALID DPUB could not parse timeout -1"),
        arguments("DPUB t +1", "E_INVALID DPUB could not parse timeout +1"),
        arguments("DPUB t 1.5", "E_INVALID DPUB could not parse timeout 1.5"),
        arguments("DPUB t 0x1", "E_INVALID DPUB could not parse timeout 0x1"),
        arguments("DPUB t 3600001", "E_INVALID DPUB timeout 3600001 out of range 0-3600000"),
        arguments(
            "DPUB t 9223372036854775807",
            "E_INVALID DPUB timeout 9223372036854775807 out of range 0-3600000"),
        arguments("AUTH x", "E_INVALID AUTH invalid number of parameters"),
        arguments("AUTH ", "E_INVALID AUTH invalid number of parameters"),
        arguments("AUTH\n" + sized("secret"), "E_AUTH_DISABLED AUTH disabled"));
  }

  @ParameterizedTest
  @MethodSource("fatalWhenInit")
  void shouldCloseAfterErrorWhenInit(String line, String error) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.line(line).expectFatal(error);
    }
  }

  @Test
  void shouldReadDecimalsModulo64Bits() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("DPUB decimals ", "empty is 0").expectOk();
      conn.command("DPUB decimals 000000000000000000000000000000", "zeros").expectOk();
      conn.command("DPUB decimals 18446744073709551616", "2^64").expectOk();
      conn.command("DPUB decimals 3600000", "the limit").expectOk();
    }
  }

  @Test
  void shouldRefuseSubWithHeartbeatsDisabledBeforeAllElse() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify("{\"heartbeat_interval\":-1}");
      conn.line("SUB").expectFatal("E_INVALID cannot SUB with heartbeats disabled");
    }
  }

  // ---- state subscribed and closing

  static Stream<Arguments> fatalWhenSubscribed() {
    return Stream.of(
        arguments("SUB a b", "E_INVALID cannot SUB in current state"),
        arguments("IDENTIFY", "E_INVALID cannot IDENTIFY in current state"),
        arguments("AUTH", "E_INVALID cannot AUTH in current state"),
        arguments("FIN", "E_INVALID FIN insufficient number of params"),
        arguments("FIN abc", "E_INVALID invalid message ID"),
        arguments("FIN ", "E_INVALID invalid message ID"),
        arguments("FIN 0123456789abcdef0", "E_INVALID invalid message ID"),
        arguments("REQ", "E_INVALID REQ insufficient number of params"),
        arguments("REQ " + NO_ID, "E_INVALID REQ insufficient number of params"),
        arguments("REQ abc x", "E_INVALID invalid message ID"),
        arguments("REQ " + NO_ID + " x", "E_INVALID REQ could not parse timeout x"),
        arguments("REQ " + NO_ID + " -1", "E_INVALID REQ could not parse timeout -1"),
        arguments("TOUCH", "E_INVALID TOUCH insufficient number of params"),
        arguments("TOUCH abc", "E_INVALID invalid message ID"));
  }

  static Stream<Arguments> fatalRdy() {
    return Stream.of(
        arguments("RDY x", "E_INVALID RDY could not parse count x"),
        arguments("RDY -1", "E_INVALID RDY could not parse count -1"),
        arguments("RDY 2501", "E_INVALID RDY count 2501 out of range 0-2500"),
        arguments("RDY 18446744073709551615", "E_INVALID RDY count -1 out of range 0-2500"),
        arguments(
            "RDY 9223372036854775807",
            "E_INVALID RDY count 9223372036854775807 out of range 0-2500"));
  }

  @ParameterizedTest
  @MethodSource({"fatalWhenSubscribed", "fatalRdy"})
  void shouldCloseAfterErrorWhenSubscribed(String line, String error) {
    try (RawNsqConnection conn = broker.subscribe("fatal", "ch")) {
      conn.line(line).expectFatal(error);
    }
  }

  @ParameterizedTest
  @MethodSource("fatalWhenSubscribed")
  void shouldCloseAfterErrorWhenClosing(String line, String error) {
    try (RawNsqConnection conn = broker.subscribe("fatal", "ch")) {
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      conn.line(line).expectFatal(error);
    }
  }

  @Test
  void shouldRefuseSecondCls() {
    try (RawNsqConnection conn = broker.subscribe("cls", "ch")) {
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      conn.line("CLS").expectFatal("E_INVALID cannot CLS in current state");
    }
  }

  @Test
  void shouldIgnoreAnyRdyWhenClosing() {
    try (RawNsqConnection conn = broker.subscribe("cls-rdy", "ch")) {
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      conn.line("RDY 1").line("RDY x").line("RDY 99999").expectAlive();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"RDY", "RDY ", "RDY 0", "RDY 2500", "RDY 18446744073709551616", "RDY 007"})
  void shouldAcceptRdy(String line) {
    try (RawNsqConnection conn = broker.subscribe("rdy", "ch")) {
      conn.line(line).expectAlive();
    }
  }

  @Test
  void shouldAnswerNonFatalFailures() {
    try (RawNsqConnection conn = broker.subscribe("nonfatal", "ch")) {
      String id = "\u00ff\u0001\"\\abcdefghijkl";
      for (String any : List.of(NO_ID, id)) {
        conn.line("FIN " + any).expectError("E_FIN_FAILED FIN " + any + " failed ID not in flight");
        conn.line("REQ " + any + " 0")
            .expectError("E_REQ_FAILED REQ " + any + " failed ID not in flight");
        conn.line("REQ " + any + " ")
            .expectError("E_REQ_FAILED REQ " + any + " failed ID not in flight");
        conn.line("TOUCH " + any)
            .expectError("E_TOUCH_FAILED TOUCH " + any + " failed ID not in flight");
      }
      conn.expectAlive();
    }
  }

  @Test
  void shouldRefuseMessagesOfOtherConnections() {
    try (RawNsqConnection owner = broker.subscribe("owner", "ch");
        RawNsqConnection other = broker.subscribe("owner", "ch")) {
      owner.line("RDY 1").pub("owner", "x");
      Frame.Msg message = owner.message();
      String why = message.id() + " failed client does not own message";
      other.line("FIN " + message.id()).expectError("E_FIN_FAILED FIN " + why);
      other.line("REQ " + message.id() + " 0").expectError("E_REQ_FAILED REQ " + why);
      other.line("TOUCH " + message.id()).expectError("E_TOUCH_FAILED TOUCH " + why);
      owner.line("TOUCH " + message.id()).fin(message).expectAlive();
      owner
          .line("FIN " + message.id())
          .expectError("E_FIN_FAILED FIN " + message.id() + " failed ID not in flight");
    }
  }

  @Test
  void shouldFinishRequeueAndPublishWhenClosing() {
    try (RawNsqConnection conn = broker.subscribe("closing", "ch");
        RawNsqConnection next = broker.subscribe("closing", "ch")) {
      conn.line("RDY 3").mpub("closing", "a", "b", "c");
      List<Frame.Msg> messages = conn.messages(3);
      assertEquals("CLOSE_WAIT", conn.line("CLS").expectResponse());
      conn.line("TOUCH " + messages.get(0).id()).fin(messages.get(0)).fin(messages.get(1));
      conn.line("REQ " + messages.get(2).id() + " 0").pub("closing", "d");
      next.line("RDY 2");
      List<String> bodies =
          new ArrayList<>(next.messages(2).stream().map(Frame.Msg::text).toList());
      bodies.sort(null);
      assertEquals(List.of(messages.get(2).text(), "d").stream().sorted().toList(), bodies);
    }
  }
}
