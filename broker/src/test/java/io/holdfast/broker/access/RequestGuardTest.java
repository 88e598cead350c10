package io.holdfast.broker.access;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestGuardTest {
  private static final SocketAddress ELSEWHERE = new InetSocketAddress("192.0.2.1", 5000);
  private static final SocketAddress HERE = new InetSocketAddress("127.0.0.2", 5000);

  private final RequestGuard guard =
      new RequestGuard(List.of("Queue1.example.com", "*.internal"), false);

  private boolean mayGet(String path, String host) {
    return guard.refusalOrNull(ask("GET", path, host, List.of(), List.of(), ELSEWHERE)) == null;
  }

  private static HttpAsk ask(
      String method,
      String path,
      String host,
      List<String> origins,
      List<String> sites,
      SocketAddress remote) {
    return new HttpAsk(method, path, "http", List.of(host), origins, sites, false, remote);
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, true",
    "10.1.2.3:4151, true",
    "[::1], true",
    "[2001:db8::1]:4151, true",
    "localhost, true",
    "LOCALHOST:4151, true",
    "localhost.:4151, true",
    "queue1.example.com, true",
    "QUEUE1.example.com.:80, true",
    "a.internal, true",
    "a.b.internal:4151, true",
    "internal, false",
    "evil.example.com, false",
    "example.com, false",
    "xqueue1.example.com, false",
    "queue1.example.com.evil.org, false",
    "127.0.0.1.evil.org, false",
    "127.0.0.1:80.evil.org, false",
    "localhost:80@evil.org, false",
    "2130706433, false",
    "0x7f.1, false",
    "::1, false",
    "[::1].evil.org, false",
    "*, false",
  })
  void shouldKnowItsNames(String host, boolean mayAsk) {
    assertEquals(mayAsk, mayGet("/stats", host));
    assertEquals(true, mayGet("/ping", host));
  }

  @ParameterizedTest
  @CsvSource({
    "http://q.internal:4151, true",
    "HTTP://Q.internal:4151, true",
    "https://q.internal:4151, false",
    "http://q.internal, false",
    "http://q.internal:4152, false",
    "http://other.internal:4151, false",
    "null, false",
    "'', false",
    "q.internal, false",
    "http://q.internal:4151.evil.org, false",
  })
  void shouldRefuseForeignOrigins(String origin, boolean mayAsk) {
    for (String method : List.of("POST", "PUT", "DELETE", "PATCH")) {
      HttpAsk ask = ask(method, "/pub", "q.internal:4151", List.of(origin), List.of(), ELSEWHERE);
      assertEquals(mayAsk, guard.refusalOrNull(ask) == null, method);
    }
    for (String method : List.of("GET", "HEAD", "OPTIONS")) {
      HttpAsk ask =
          ask(method, "/stats", "q.internal:4151", List.of(origin), List.of("cross-site"), HERE);
      assertEquals(true, guard.refusalOrNull(ask) == null, method);
    }
  }

  @Test
  void shouldAddTheSchemesPort() {
    HttpAsk ask =
        ask("POST", "/pub", "q.internal", List.of("http://q.internal:80"), List.of(), HERE);
    assertEquals(null, guard.refusalOrNull(ask));
  }

  @ParameterizedTest
  @CsvSource({"same-origin, true", "none, true", "same-site, false", "Cross-Site, false"})
  void shouldRefuseForeignSites(String site, boolean mayAsk) {
    HttpAsk ask = ask("POST", "/pub", "127.0.0.1", List.of(), List.of(site), HERE);
    assertEquals(mayAsk, guard.refusalOrNull(ask) == null);
  }

  @Test
  void shouldKeepDebugForThisMachine() {
    for (String path :
        List.of("/debug", "/debug/pprof/heap", "/DEBUG/pprof/", "/debug/freememory")) {
      assertEquals(false, mayGet(path, "127.0.0.1"), path);
      HttpAsk here = ask("GET", path, "127.0.0.1", List.of(), List.of(), HERE);
      assertEquals(null, guard.refusalOrNull(here), path);
      HttpAsk unix = ask("GET", path, "anything", List.of(), List.of(), new SocketAddress() {});
      assertEquals(null, guard.refusalOrNull(unix), path);
      HttpAsk passedOn =
          new HttpAsk("GET", path, "http", List.of(), List.of(), List.of(), true, HERE);
      assertEquals(true, guard.refusalOrNull(passedOn) != null, path);
      RequestGuard open = new RequestGuard(List.of(), true);
      HttpAsk there = ask("GET", path, "127.0.0.1", List.of(), List.of(), ELSEWHERE);
      assertEquals(null, open.refusalOrNull(there), path);
    }
  }
}
