package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.http.Router.Match;
import io.holdfast.broker.http.Router.Route;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouterTest {
  private final Router router =
      new Router(
          List.of(
              route("GET", "/ping"),
              route("POST", "/topic/create"),
              route("GET", "/config/{key}"),
              route("PUT", "/config/{key}"),
              route("GET", "/debug/pprof/"),
              route("GET", "/debug/pprof/symbol"),
              route("POST", "/debug/pprof/symbol")));

  private static Route route(String method, String path) {
    return new Route(
        Right.OPEN,
        method,
        path,
        Set.of(),
        BodyLimit.NONE,
        (request, reply) -> reply.accept(HttpReply.empty()));
  }

  @Test
  void shouldFindFixedAndVariablePaths() {
    assertEquals("/ping", router.match("GET", "/ping", "").route().path());
    Match config = router.match("PUT", "/config/log_level", "");
    assertEquals("PUT", config.route().method());
    assertEquals("log_level", config.pathParam());
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /ping/, /ping, 301",
    "GET, /PING, /ping, 301",
    "GET, //ping, /ping, 301",
    "GET, /x/../Ping/, /ping, 301",
    "POST, /topic/create/, /topic/create, 307",
    "POST, /Topic/Create, /topic/create, 307",
    "GET, /debug/pprof, /debug/pprof/, 301",
    "GET, /config/a/, /config/a, 301",
    "GET, /CONFIG/LogLevel, /config/LogLevel, 301",
  })
  void shouldRedirectToTheProperPath(String method, String path, String target, int status) {
    HttpReply reply = router.match(method, path, "a=b&c").reply();
    assertEquals(status, reply.status());
    assertEquals(Map.of("Location", target + "?a=b&c"), reply.headers());
    assertEquals(method.equals("GET"), reply.body().length > 0);
  }

  @Test
  void shouldEscapeRedirects() {
    HttpReply reply = router.match("GET", "/config/a\r\nb c/", "").reply();
    assertEquals("/config/a%0D%0Ab%20c", reply.headers().get("Location"));
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /ping, 'GET, OPTIONS'",
    "HEAD, /ping, 'GET, OPTIONS'",
    "GET, /topic/create, 'OPTIONS, POST'",
    "POST, /config/x, 'GET, OPTIONS, PUT'",
    "DELETE, /debug/pprof/symbol, 'GET, OPTIONS, POST'",
  })
  void shouldNameTheAllowedMethods(String method, String path, String allow) {
    HttpReply reply = router.match(method, path, "").reply();
    assertEquals(405, reply.status());
    assertEquals(Map.of("Allow", allow), reply.headers());
    assertEquals("{\"message\":\"METHOD_NOT_ALLOWED\"}", new String(reply.body(), UTF_8));
  }

  @Test
  void shouldAnswerOptions() {
    HttpReply reply = router.match("OPTIONS", "/topic/create", "").reply();
    assertEquals(200, reply.status());
    assertEquals("OPTIONS, POST", reply.headers().get("Allow"));
    assertNull(reply.contentType());
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /",
    "GET, /nope",
    "GET, /config",
    "GET, /config/",
    "GET, /config/a/b",
    "GET, /TOPIC/CREATE",
    "OPTIONS, /nope",
    "HEAD, /PING",
    "BREW, /nope"
  })
  void shouldNotFind(String method, String path) {
    HttpReply reply = router.match(method, path, "").reply();
    assertEquals(404, reply.status());
    assertEquals("{\"message\":\"NOT_FOUND\"}", new String(reply.body(), UTF_8));
  }

  @Test
  void shouldRefuseTwoRoutesForOnePath() {
    List<Route> twice = List.of(route("GET", "/a"), route("GET", "/a"));
    assertThrows(IllegalArgumentException.class, () -> new Router(twice));
  }

  @Test
  void shouldNotRedirectToANul() {
    assertEquals(404, router.match("GET", "/config/a\0b/", "").reply().status());
    assertEquals(404, router.match("GET", "/CONFIG/\0", "").reply().status());
  }
}
