package io.holdfast.tools.cluster;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;

/** One of three nodes a, b and c, by what its HTTP API says. */
final class FakeNode implements AutoCloseable {
  static final String UUID = "1a2b";

  /** Of a node of one group, what a test may change. */
  String state = "member";

  String leader = "a";
  String role;
  String error;
  boolean serving;
  long committed = 40;
  volatile long applied = 40;
  volatile long snapshot;
  String crc = "00112233";
  long lagOfB;
  boolean isVoterB = true;
  boolean knowsAddresses = true;

  /** What POSTs are answered, one after the other; 200 when there are no more. */
  final Queue<Map.Entry<Integer, String>> answers = new ConcurrentLinkedQueue<>();

  final List<String> posts = Collections.synchronizedList(new ArrayList<>());
  final String name;
  private final HttpServer server;
  private final Map<String, FakeNode> all;
  private volatile Runnable onPost = () -> {};
  private volatile boolean isDead;

  private FakeNode(String name, Map<String, FakeNode> all) throws IOException {
    this.name = name;
    this.all = all;
    role = name.equals("a") ? "leader" : "follower";
    serving = name.equals("a");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  /** All three. */
  static Map<String, FakeNode> three() throws IOException {
    Map<String, FakeNode> all = new ConcurrentHashMap<>();
    for (String name : List.of("a", "b", "c")) {
      all.put(name, new FakeNode(name, all));
    }
    return all;
  }

  String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers nothing any more, but for the request that is under way. */
  void die() {
    isDead = true;
  }

  void onPost(Runnable action) {
    onPost = action;
  }

  private void answer(HttpExchange exchange) throws IOException {
    if (isDead) {
      exchange.close();
      return;
    }
    int status = 200;
    String body = cluster();
    if (exchange.getRequestMethod().equals("POST")) {
      posts.add(exchange.getRequestURI().toString());
      onPost.run();
      Map.Entry<Integer, String> next = answers.poll();
      status = next == null ? 200 : next.getKey();
      body = next == null ? "{}" : next.getValue();
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private String cluster() {
    boolean isMember = state.equals("member");
    String nodes = List.of("a", "b", "c").stream().map(this::node).collect(Collectors.joining(","));
    return "{\"cluster_id\":900,\"uuid\":"
        + (isMember ? "\"" + UUID + "\"" : "null")
        + ",\"node\":\""
        + name
        + "\",\"incarnation\":0,\"state\":\""
        + state
        + "\",\"draining\":false,\"nodes\":["
        + nodes
        + "],\"groups\":["
        + (isMember ? group() : "")
        + "]}";
  }

  private String node(String each) {
    String http =
        knowsAddresses || each.equals(name) ? '"' + all.get(each).address() + '"' : "null";
    return "{\"node\":\""
        + each
        + "\",\"address\":\"10.0.0.1:4160\",\"incarnation\":0,\"reachable\":"
        + each.equals(name)
        + ",\"last_contact_ms\":35000,\"http_address\":"
        + http
        + ",\"version\":\"1.1.0\",\"disk_free_bytes\":5000000,\"clock_offset_ms\":3}";
  }

  private String group() {
    boolean isLeader = role.equals("leader");
    return "{\"group\":0,\"preferred\":\"a\",\"role\":\""
        + role
        + "\",\"serving\":"
        + serving
        + ",\"leader\":"
        + (leader == null ? "null" : '"' + leader + '"')
        + ",\"term\":7,\"first\":1,\"last\":41,\"committed\":"
        + committed
        + ",\"applied\":"
        + applied
        + ",\"snapshot\":"
        + snapshot
        + ",\"state_crc\":\""
        + crc
        + "\",\"log_bytes\":2000,\"topics\":12,\"error\":"
        + (error == null ? "null" : '"' + error + '"')
        + ",\"peers\":["
        + (isLeader
            ? "{\"node\":\"b\",\"incarnation\":0,\"voter\":"
                + isVoterB
                + ",\"lag\":"
                + lagOfB
                + "},{\"node\":\"c\",\"incarnation\":0,\"voter\":true,\"lag\":0}"
            : "")
        + "]}";
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
