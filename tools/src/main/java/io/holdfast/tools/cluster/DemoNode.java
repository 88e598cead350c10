package io.holdfast.tools.cluster;

import io.holdfast.tools.client.BrokerAddress;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A broker of the demonstration, as a process of its own. Of one thread, but for {@link #kill}. */
final class DemoNode implements Closeable {
  private static final String LOOPBACK = "127.0.0.1";
  private static final String JAVA_OPTS = "HOLDFAST_JAVA_OPTS";
  private static final int CLUSTER_ID = 900;
  private static final int END_S = 10;
  private static final int LOG_LINES = 5;

  private final String name;
  private final List<String> command;
  private final Path log;
  private final BrokerAddress tcp;
  private final BrokerAddress http;
  private volatile Process process;

  private DemoNode(
      Path launcher, Path dir, String name, String nodes, BrokerAddress tcp, BrokerAddress http)
      throws IOException {
    this.name = name;
    this.tcp = tcp;
    this.http = http;
    log = dir.resolve(name + ".log");
    Path data = Files.createDirectory(dir.resolve(name));
    command =
        List.of(
            launcher.toString(),
            "--data-path=" + data,
            "--tcp-address=" + tcp,
            "--http-address=" + http,
            "--broadcast-address=" + LOOPBACK,
            "--cluster-nodes=" + nodes,
            "--cluster-node=" + name,
            "--cluster-id=" + CLUSTER_ID,
            "--cluster-init");
  }

  /**
   * Three that are not started.
   *
   * @param launcher {@code bin/holdfast}
   * @param dir where all that they write goes
   */
  static List<DemoNode> three(Path launcher, Path dir) throws IOException {
    List<String> names = List.of("a", "b", "c");
    List<BrokerAddress> free = freeAddresses(3 * names.size());
    List<String> nodes = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      nodes.add(names.get(i) + " " + free.get(3 * i));
    }
    List<DemoNode> three = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      three.add(
          new DemoNode(
              launcher,
              dir,
              names.get(i),
              String.join(",", nodes),
              free.get(3 * i + 1),
              free.get(3 * i + 2)));
    }
    return three;
  }

  private static List<BrokerAddress> freeAddresses(int count) throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream()
          .map(socket -> new BrokerAddress(LOOPBACK, socket.getLocalPort()))
          .toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  String name() {
    return name;
  }

  BrokerAddress tcp() {
    return tcp;
  }

  BrokerAddress http() {
    return http;
  }

  /** Of its last start. */
  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Starts it, for the first time or again. */
  void start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putIfAbsent(JAVA_OPTS, "-Xmx128m");
    process = builder.start();
    process.getOutputStream().close();
  }

  /** As {@code kill -9} does; returns at once. Any thread. */
  void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
    }
  }

  /** The last lines that it logged. */
  List<String> lastLines() throws IOException {
    List<String> lines = Files.exists(log) ? Files.readAllLines(log) : List.of();
    return lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size());
  }

  /** Kills it and waits until it is gone. */
  @Override
  public void close() {
    kill();
    try {
      if (process != null && !process.waitFor(END_S, TimeUnit.SECONDS)) {
        throw new IllegalStateException("process " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
