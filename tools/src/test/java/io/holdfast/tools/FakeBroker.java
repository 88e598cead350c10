package io.holdfast.tools;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.tools.client.BrokerAddress;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An NSQ broker in this process, small and on purpose unreliable: it loses, duplicates, refuses and
 * breaks connections on demand. Messages wait in memory, a queue per topic and channel; a topic
 * without channels keeps them for the first.
 */
public final class FakeBroker implements AutoCloseable {
  private final ServerSocket server;
  private final HttpServer http;
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();

  // Guarded by this.
  private final Map<String, List<byte[]>> published = new HashMap<>();
  private final Map<String, Deque<Message>> queues = new LinkedHashMap<>();
  private final List<String> commands = new ArrayList<>();
  private long nextId = 1;
  private int finished;
  private int requeued;

  /** Close the connection instead of answering so many publishes; they are stored all the same. */
  public final AtomicInteger breakAfterStoring = new AtomicInteger();

  /** Close the connection instead of taking so many publishes. */
  public final AtomicInteger breakBeforeStoring = new AtomicInteger();

  /** Answer OK to so many publishes without storing them. */
  public final AtomicInteger lose = new AtomicInteger();

  /** Deliver so many messages twice. */
  public final AtomicInteger duplicate = new AtomicInteger();

  /** Answer publishes with this error; null = OK. */
  public volatile String publishError;

  /**
   * Whether an ephemeral first channel leaves the topic its backlog, and says so; nsqd's does not.
   */
  public volatile boolean keepsBacklog = true;

  /** What it says in its answer to IDENTIFY beside the rest, such as {@code "snappy":false}. */
  public volatile String identifyAnswer;

  /** What it answers AUTH with this secret; others are refused. */
  public volatile String authSecret;

  /** The header of the last HTTP request; empty for none. */
  public volatile String authorization = "";

  /** What HTTP answers, by path without query. */
  public final Map<String, String> httpAnswers = new ConcurrentHashMap<>();

  private record Message(String id, int attempts, byte[] body) {}

  /** Starts on free loopback ports. */
  public FakeBroker() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    http.createContext(
        "/",
        exchange -> {
          String header = exchange.getRequestHeaders().getFirst("Authorization");
          authorization = header == null ? "" : header;
          String answer = httpAnswers.get(exchange.getRequestURI().getPath());
          String text = answer == null ? "{\"message\":\"TOPIC_NOT_FOUND\"}" : answer;
          byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(answer == null ? 404 : 200, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    http.start();
    daemon(this::accept, "fake-broker");
  }

  /** Where it speaks the protocol. */
  public BrokerAddress tcp() {
    return new BrokerAddress("127.0.0.1", server.getLocalPort());
  }

  /** Where it answers HTTP. */
  public BrokerAddress http() {
    return new BrokerAddress("127.0.0.1", http.getAddress().getPort());
  }

  /** Bodies stored in a topic, in order. */
  public synchronized List<String> published(String topic) {
    return published.getOrDefault(topic, List.of()).stream()
        .map(body -> new String(body, StandardCharsets.UTF_8))
        .toList();
  }

  /** Bytes of the bodies published to a topic so far. */
  public synchronized List<Integer> publishedBytes(String topic) {
    return published.getOrDefault(topic, List.of()).stream().map(body -> body.length).toList();
  }

  /** Command lines received, bodies left out. */
  public synchronized List<String> commands() {
    return List.copyOf(commands);
  }

  /** FINs of messages that were in flight. */
  public synchronized int finished() {
    return finished;
  }

  /** REQs of messages that were in flight. */
  public synchronized int requeued() {
    return requeued;
  }

  /** Connections open now. */
  public int connected() {
    return connections.size();
  }

  /** Publishes without a client. */
  public void put(String topic, String... bodies) {
    for (String body : bodies) {
      store(topic, body.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Sends every connection a heartbeat. */
  public void heartbeat() throws IOException {
    for (Connection connection : connections) {
      connection.frame(0, "_heartbeat_".getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Breaks every connection. */
  public void disconnectAll() throws IOException {
    for (Connection connection : connections) {
      connection.socket.close();
    }
  }

  private synchronized void store(String topic, byte[] body) {
    published.computeIfAbsent(topic, unused -> new ArrayList<>()).add(body);
    boolean fannedOut = false;
    for (Map.Entry<String, Deque<Message>> queue : queues.entrySet()) {
      if (queue.getKey().startsWith(topic + " ") && !queue.getKey().endsWith(" ")) {
        queue.getValue().add(newMessage(body));
        fannedOut = true;
      }
    }
    if (!fannedOut) {
      queues.computeIfAbsent(topic + " ", unused -> new ArrayDeque<>()).add(newMessage(body));
    }
    notifyAll();
  }

  private Message newMessage(byte[] body) {
    return new Message("%016x".formatted(nextId++), 0, body);
  }

  private synchronized Deque<Message> subscribe(String topic, String channel) {
    boolean copy = keepsBacklog && channel.endsWith("#ephemeral");
    Deque<Message> waiting = copy ? queues.get(topic + " ") : queues.remove(topic + " ");
    Deque<Message> backlog = copy && waiting != null ? new ArrayDeque<>(waiting) : waiting;
    return queues.computeIfAbsent(
        topic + " " + channel, unused -> backlog == null ? new ArrayDeque<>() : backlog);
  }

  private void accept() {
    try {
      while (true) {
        Connection connection = new Connection(server.accept());
        connections.add(connection);
        daemon(connection::run, "fake-connection");
      }
    } catch (IOException e) {
      return; // Closed.
    }
  }

  private static void daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
    http.stop(0);
    disconnectAll();
  }

  private static boolean takeOne(AtomicInteger counter) {
    return counter.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
  }

  private final class Connection {
    final Socket socket;
    final DataInputStream in;
    final DataOutputStream out;

    // Guarded by the broker.
    private final Map<String, Message> inFlight = new HashMap<>();
    private Deque<Message> queue;
    private int ready;
    private boolean closed;

    Connection(Socket socket) throws IOException {
      this.socket = socket;
      this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      this.out = new DataOutputStream(socket.getOutputStream());
    }

    void run() {
      try (socket) {
        in.readFully(new byte[4]);
        while (true) {
          command(line().split(" ", -1));
        }
      } catch (IOException e) {
        synchronized (FakeBroker.this) { // The client left, or we broke it off.
          closed = true;
          if (queue != null) {
            inFlight.values().forEach(queue::addFirst);
          }
          FakeBroker.this.notifyAll();
        }
      } finally {
        connections.remove(this);
      }
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      int next = in.read();
      while (next != '\n') {
        if (next < 0) {
          throw new EOFException();
        }
        line.append((char) next);
        next = in.read();
      }
      synchronized (FakeBroker.this) {
        commands.add(line.toString());
      }
      return line.toString();
    }

    private void command(String[] words) throws IOException {
      switch (words[0]) {
        case "IDENTIFY" -> {
          body();
          ok(
              "{\"max_rdy_count\":2500,\"version\":\"fake\",\"msg_timeout\":60000"
                  + (identifyAnswer == null ? "" : "," + identifyAnswer)
                  + (keepsBacklog ? ",\"keeps_backlog\":true}" : "}"));
        }
        case "AUTH" -> {
          if (new String(body(), StandardCharsets.UTF_8).equals(authSecret)) {
            ok("{\"identity\":\"me\",\"identity_url\":\"\",\"permission_count\":1}");
          } else {
            frame(1, "E_AUTH_FAILED AUTH failed".getBytes(StandardCharsets.UTF_8));
            throw new EOFException();
          }
        }
        case "PUB", "DPUB" -> publish(words[1], List.of(body()));
        case "MPUB" -> {
          in.readInt();
          int count = in.readInt();
          List<byte[]> bodies = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            bodies.add(body());
          }
          publish(words[1], bodies);
        }
        case "SUB" -> {
          queue = subscribe(words[1], words[2]);
          ok("OK");
          daemon(this::deliver, "fake-delivery");
        }
        case "CLS" -> {
          setReady(0);
          ok("CLOSE_WAIT");
        }
        case "RDY" -> setReady(Integer.parseInt(words[1]));
        case "FIN", "REQ" -> settle(words[0], words[1]);
        default -> {}
      }
    }

    private byte[] body() throws IOException {
      byte[] body = new byte[in.readInt()];
      in.readFully(body);
      return body;
    }

    private void publish(String topic, List<byte[]> bodies) throws IOException {
      if (publishError != null) {
        frame(1, publishError.getBytes(StandardCharsets.UTF_8));
        throw new EOFException();
      }
      if (takeOne(breakBeforeStoring)) {
        throw new EOFException();
      }
      if (!takeOne(lose)) {
        bodies.forEach(body -> store(topic, body));
      }
      if (takeOne(breakAfterStoring)) {
        throw new EOFException();
      }
      ok("OK");
    }

    private void setReady(int count) {
      synchronized (FakeBroker.this) {
        ready = count;
        FakeBroker.this.notifyAll();
      }
    }

    private void settle(String command, String id) throws IOException {
      synchronized (FakeBroker.this) {
        Message message = inFlight.remove(id);
        if (message == null) {
          frame(1, ("E_" + command + "_FAILED " + id).getBytes(StandardCharsets.UTF_8));
        } else if (command.equals("FIN")) {
          finished++;
        } else {
          requeued++;
          queue.add(message);
        }
        FakeBroker.this.notifyAll();
      }
    }

    private void deliver() {
      try {
        while (true) {
          Message message;
          synchronized (FakeBroker.this) {
            while (!closed && (queue.isEmpty() || inFlight.size() >= ready)) {
              FakeBroker.this.wait();
            }
            if (closed) {
              return;
            }
            Message next = queue.remove();
            message = new Message(next.id(), next.attempts() + 1, next.body());
            inFlight.put(message.id(), message);
          }
          message(message);
          if (takeOne(duplicate)) {
            message(message);
          }
        }
      } catch (IOException e) {
        return; // The client left.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void message(Message message) throws IOException {
      synchronized (out) {
        out.writeInt(4 + 26 + message.body().length);
        out.writeInt(2);
        out.writeLong(1_700_000_000_123_456_789L);
        out.writeShort(message.attempts());
        out.writeBytes(message.id());
        out.write(message.body());
        out.flush();
      }
    }

    private void ok(String text) throws IOException {
      frame(0, text.getBytes(StandardCharsets.UTF_8));
    }

    void frame(int type, byte[] data) throws IOException {
      synchronized (out) {
        out.writeInt(4 + data.length);
        out.writeInt(type);
        out.write(data);
        out.flush();
      }
    }
  }
}
