package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.system.support.FakeClock;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** One of three brokers, as a process that can be killed, stopped and started again. */
final class FaultNode implements AutoCloseable {
  private static final Set<Process> ALIVE = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> ALIVE.forEach(Process::destroyForcibly), "kill-nodes"));
  }

  private static final int CONNECT_MS = 1000;

  private final String name;
  private final String host;
  private final int tcpPort;
  private final int httpPort;
  private final Path home;
  private final List<String> launcher;
  private final List<String> flags;
  private final FaultDisk disk;
  private final FakeClock clock;
  private volatile Process process;
  private volatile boolean isStopped;

  /** When it went on last; long ago when it never was stopped. */
  private volatile long wentOnNs = System.nanoTime() - TimeUnit.HOURS.toNanos(1);

  private int starts;

  /**
   * Not started yet.
   *
   * @param home an empty directory, for data and logs
   * @param image where the file of its disk is made
   * @param diskMegabytes of a file system of its own for the data
   * @param clock what it goes by; null for the machine's
   */
  FaultNode(
      String name,
      String host,
      int tcpPort,
      int httpPort,
      Path home,
      Path image,
      int diskMegabytes,
      FakeClock clock,
      List<String> launcher,
      List<String> flags) {
    this.name = name;
    this.host = host;
    this.tcpPort = tcpPort;
    this.httpPort = httpPort;
    this.home = home;
    this.launcher = List.copyOf(launcher);
    this.flags = List.copyOf(flags);
    this.clock = clock;
    try {
      Files.createDirectories(data());
      disk = FaultDisk.mounted(data(), image, diskMegabytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String name() {
    return name;
  }

  String host() {
    return host;
  }

  int tcpPort() {
    return tcpPort;
  }

  int httpPort() {
    return httpPort;
  }

  /** Its data path. */
  Path data() {
    return home.resolve("data");
  }

  /** A file system of its own; null for none. */
  FaultDisk disk() {
    return disk;
  }

  /** Its own; null for the machine's. */
  FakeClock clock() {
    return clock;
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Whether it is stopped by a signal, or was in the last so many ms. */
  boolean wasStopped(long withinMs) {
    return isStopped || System.nanoTime() - wentOnNs < TimeUnit.MILLISECONDS.toNanos(withinMs);
  }

  /** Starts it and waits for nothing. */
  void start() {
    List<String> command = new ArrayList<>(launcher);
    if (clock != null) {
      command.addAll(List.of(clock.command()));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // The first compiler only: few live long enough for the second one to pay.
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.add("-Dio.netty.leakDetection.level=paranoid");
    Path jar = Path.of(System.getProperty("holdfast.jar", "target/holdfast.jar")).toAbsolutePath();
    command.addAll(List.of("-jar", jar.toString()));
    command.addAll(
        List.of(
            "--tcp-address=" + host + ":" + tcpPort,
            "--http-address=" + host + ":" + httpPort,
            "--broadcast-address=" + host,
            "--data-path=" + data(),
            "--cluster-node=" + name));
    command.addAll(flags);
    starts++;
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(home.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ALIVE.add(process);
    isStopped = false;
  }

  /** Where all its lives log to. */
  Path log() {
    return home.resolve("log");
  }

  /** How often it was started. */
  int starts() {
    return starts;
  }

  /** SIGKILL, and waits for the end. */
  void kill() {
    if (process != null) {
      process.destroyForcibly();
      awaitEnd(30);
    }
  }

  /** SIGTERM, and waits for the end; after half a minute it is killed. */
  void terminate() {
    process.destroy();
    if (!awaitEnd(30)) {
      kill();
    }
  }

  private boolean awaitEnd(int seconds) {
    try {
      boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
      if (ended) {
        ALIVE.remove(process);
        isStopped = false;
      }
      return ended;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** SIGSTOP. */
  void stop() {
    isStopped = true;
    Shell.run("kill", "-STOP", Long.toString(process.pid()));
  }

  /** SIGCONT. */
  void goOn() {
    if (isAlive()) {
      Shell.run("kill", "-CONT", Long.toString(process.pid()));
    }
    if (isStopped) {
      wentOnNs = System.nanoTime();
      isStopped = false;
    }
  }

  /** Its disk and it go at once, and both come back; what was not forced is lost. */
  static void cutPower(List<FaultNode> some, Runnable meanwhile) {
    some.forEach(FaultNode::kill);
    some.forEach(node -> node.disk.go());
    meanwhile.run();
    some.forEach(node -> node.disk.come());
    some.forEach(FaultNode::start);
  }

  /** A new connection that has said what it speaks. */
  Socket connect() throws IOException {
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(host, tcpPort), CONNECT_MS);
    socket.setTcpNoDelay(true);
    return socket;
  }

  @Override
  public void close() {
    kill();
    try {
      if (disk != null) {
        disk.close();
      }
      DurableFiles.deleteTree(home);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
