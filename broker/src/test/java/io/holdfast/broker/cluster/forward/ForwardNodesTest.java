package io.holdfast.broker.cluster.forward;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.net.Transport;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes decided by JRaft: clients publish at all of them while leaders change. */
class ForwardNodesTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final int ELECTION_TIMEOUT_MS = 1000;
  private static final int PIPELINED = 50;

  @TempDir Path root;
  private final Transport transport = new Transport(2);
  private final Map<String, ForwardNode> nodes = new LinkedHashMap<>();

  /** Publishes at a node, many at a time, until it is told to stop. */
  private static final class Client extends Thread {
    final ForwardNode node;
    final Map<String, Told> published = new LinkedHashMap<>();
    private final Semaphore free = new Semaphore(PIPELINED);
    private volatile boolean isOver;
    private volatile int confirmed;

    Client(ForwardNode node) {
      this.node = node;
      setDaemon(true);
    }

    @Override
    public void run() {
      for (int number = 1; !isOver; number++) {
        free.acquireUninterruptibly();
        String text = node.name + "/" + number;
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer section = ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body);
        Told told = new Told();
        published.put(text, told);
        told.answer.thenAccept(
            answer -> {
              synchronized (this) {
                confirmed += answer.equals("OK") ? 1 : 0;
              }
              free.release();
            });
        node.forwarder.publish("t", section.flip(), 1, 0, told);
      }
    }

    /** All that it is told from now on is of what it publishes from now on. */
    void awaitMore() {
      int target = confirmed + PIPELINED;
      await(node.name + " publishes").atMost(LONG).until(() -> confirmed > target);
    }

    void end() throws Exception {
      isOver = true;
      free.release(PIPELINED);
      join();
      for (Told told : published.values()) {
        told.answer.get(LONG.toSeconds(), TimeUnit.SECONDS);
      }
    }
  }

  @BeforeEach
  void start() throws Exception {
    List<GroupPeer> members = new ArrayList<>();
    for (String name : NAMES) {
      ForwardNode node = new ForwardNode(root.resolve(name), name, NAMES, transport);
      nodes.put(name, node);
      members.add(node.peer());
    }
    for (ForwardNode node : nodes.values()) {
      node.start(members, ELECTION_TIMEOUT_MS);
    }
  }

  @AfterEach
  void close() {
    nodes.values().forEach(ForwardNode::close);
    transport.close();
  }

  private ForwardNode awaitLeader() {
    await("a leader").atMost(LONG).until(() -> nodes.values().stream().anyMatch(this::leads));
    return nodes.values().stream().filter(this::leads).findFirst().orElseThrow();
  }

  private boolean leads(ForwardNode node) {
    return node.isServing();
  }

  private List<Client> clients() {
    List<Client> clients = nodes.values().stream().map(Client::new).toList();
    clients.forEach(Thread::start);
    clients.forEach(Client::awaitMore);
    return clients;
  }

  private boolean handOver() throws Exception {
    ForwardNode leader = awaitLeader();
    String next = NAMES.get((NAMES.indexOf(leader.name) + 1) % NAMES.size());
    leader.group.handOver(next).get(LONG.toSeconds(), TimeUnit.SECONDS);
    return true;
  }

  @Test
  void shouldStoreEachOnceWhenLeadershipIsHandedOver() throws Exception {
    awaitLeader();
    List<Client> clients = clients();
    for (int i = 0; i < 2; i++) {
      // The others may elect somebody by themselves while the machine is busy, and again.
      await("a handover").atMost(LONG).ignoreExceptions().until(this::handOver);
      clients.forEach(Client::awaitMore);
    }
    check(clients);
  }

  @Test
  void shouldStoreEachOnceWhenTheLeaderIsKilled() throws Exception {
    ForwardNode leader = awaitLeader();
    List<Client> clients = clients();
    leader.kill();
    nodes.remove(leader.name);
    List<Client> others = clients.stream().filter(client -> client.node != leader).toList();
    awaitLeader();
    others.forEach(Client::awaitMore);
    try {
      check(clients);
    } finally {
      leader.close();
    }
  }

  private void check(List<Client> clients) throws Exception {
    for (Client client : clients) {
      client.end();
      Map<String, Integer> texts = new TreeMap<>();
      client.published.values().forEach(told -> texts.merge(told.now(), 1, Integer::sum));
      System.out.println("told at " + client.node.name + ": " + texts);
    }
    ForwardNode first = nodes.values().iterator().next();
    long last = awaitLeader().group.status().committed();
    for (ForwardNode node : nodes.values()) {
      await().atMost(LONG).until(() -> node.group.status().applied() >= last);
      await().atMost(LONG).until(() -> node.stored.size() == first.stored.size());
      assertEquals(first.stored, node.stored);
    }
    Map<String, Integer> times = new HashMap<>();
    Map<String, Integer> newest = new HashMap<>();
    for (String text : first.stored) {
      times.merge(text, 1, Integer::sum);
      String[] parts = text.split("/");
      int number = Integer.parseInt(parts[1]);
      Integer before = newest.put(parts[0], number);
      assertTrue(before == null || before < number, () -> text + " behind " + before);
    }
    for (Client client : clients) {
      client.published.forEach(
          (text, told) -> {
            int stored = times.getOrDefault(text, 0);
            String answer = told.now();
            if (answer.equals("OK")) {
              assertEquals(1, stored, text);
            } else if (answer.startsWith("unknown: ")) {
              assertTrue(stored <= 1, text);
            } else {
              assertEquals(0, stored, () -> text + " " + answer);
            }
          });
    }
  }
}
