package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.http.Router.Match;
import java.lang.management.ManagementFactory;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DebugHandlerTest {
  private final BlockingQueue<HttpReply> replies = new LinkedBlockingQueue<>();
  private final Router router = router();

  private static Router router() {
    HttpApi.Routes routes = OpenRoutes.create();
    DebugHandler.addRoutes(routes, new Workers(Runnable::run));
    return new Router(routes.list());
  }

  private void send(String method, String path, String query) {
    Match match = router.match(method, path, query);
    try {
      match
          .route()
          .handler()
          .handle(new ApiRequest(method, path, null, query, null, false), replies::add);
    } catch (HttpError e) {
      replies.add(HttpReply.error(e));
    }
  }

  private String call(String method, String path, String query) {
    send(method, path, query);
    HttpReply reply = replies.remove();
    return reply.status() + " " + reply.nsqHeader() + " " + new String(reply.body(), UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "/debug/pprof/, goroutine",
    "/debug/pprof/cmdline, java",
    "/debug/pprof/symbol, num_symbols: 0",
    "/debug/pprof/goroutine, DebugHandlerTest.shouldReport",
    "/debug/pprof/heap, java.lang.String",
    "/debug/pprof/block, blocked_ms",
    "/debug/pprof/threadcreate, peak"
  })
  void shouldReport(String path, String part) {
    String answer = call("GET", path, "");
    assertTrue(answer.startsWith("200 false "), answer);
    assertTrue(answer.contains(part), answer);
  }

  @Test
  void shouldActYetAnswer500AsNsqdDoes() {
    String internalError = "500 true {\"message\":\"INTERNAL_ERROR\"}";
    assertEquals(internalError, call("PUT", "/debug/setblockrate", "rate=1"));
    assertTrue(ManagementFactory.getThreadMXBean().isThreadContentionMonitoringEnabled());
    assertEquals(internalError, call("PUT", "/debug/setblockrate", "rate=0"));
    assertFalse(ManagementFactory.getThreadMXBean().isThreadContentionMonitoringEnabled());
    assertEquals(internalError, call("POST", "/debug/freememory", ""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "rate=x | \"x\": invalid syntax",
        "rate=%22%5c | \"\\\"\\\\\": invalid syntax",
        "a;b | \"\": invalid syntax",
        "rate=99999999999999999999 | \"99999999999999999999\": value out of range"
      })
  void shouldNameABadRate(String query, String why) {
    assertEquals(
        "400 false invalid block rate : strconv.Atoi: parsing " + why,
        call("PUT", "/debug/setblockrate", query));
  }

  @Test
  void shouldRecordOneFlightAtATime() throws InterruptedException {
    send("GET", "/debug/pprof/profile", "seconds=1");
    assertTrue(call("GET", "/debug/pprof/profile", "seconds=1").contains("already in use"));
    HttpReply recording = replies.poll(60, TimeUnit.SECONDS);
    assertEquals(200, recording.status());
    assertEquals("FLR", new String(recording.body(), 0, 3, UTF_8));
  }
}
