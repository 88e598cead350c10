package io.holdfast.tools.bench.peers;

import io.holdfast.tools.bench.suite.ProcFs;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * A server that was started, or three that are one, on free ports of loopback and in a directory of
 * their own. The processes that listen are measured. Closing kills them with all they started.
 */
final class PeerServer implements AutoCloseable {
  private static final int POLL_MS = 50;
  private static final int LOG_TAIL = 300;
  private static final int QUIET_MS = 250;
  private static final double QUIET_CPU_S = 0.02;
  private static final long SETTLE_NS = TimeUnit.SECONDS.toNanos(30);

  private final Peer peer;
  private final Path log;
  private final StopSignal stop;
  private final List<Process> processes = new ArrayList<>();
  private final List<Integer> ports;
  private final List<Long> pids = new ArrayList<>();
  private String version;

  /**
   * Starts it and waits until it greets.
   *
   * @param dir an empty directory
   * @param timeoutS how long it may take
   */
  PeerServer(Peer peer, Path dir, StopSignal stop, double timeoutS) throws IOException {
    this.peer = peer;
    this.stop = stop;
    this.log = dir.resolve("server.log");
    this.ports = freePorts();
    try {
      start(dir, timeoutS);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private static List<Integer> freePorts() throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < Peers.PORTS; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  private void start(Path dir, double timeoutS) throws IOException {
    Path data = Files.createDirectory(dir.resolve("data"));
    Peer.Launch launch = peer.launcher().launch(data, ports);
    long beganNs = System.nanoTime();
    if (!launch.helper().isEmpty()) {
      start(launch.helper(), launch.members().get(0), dir);
    }
    List<Process> servers = new ArrayList<>();
    for (Peer.Member member : launch.members()) {
      servers.add(start(member.command(), member, dir));
    }
    for (int i = 0; i < servers.size(); i++) {
      Process server = servers.get(i);
      int port = ports.get(i);
      Protocol protocol = peer.protocol().open("none", false);
      await(
          "no greeting", server, beganNs, timeoutS, () -> answers(port, protocol, (in, out) -> {}));
      version = protocol.version();
      pids.add(listener(port));
    }
    if (servers.size() > 1) {
      // Each greets before they have found one another.
      Protocol protocol = peer.protocol().open("formed", false);
      await(
          "no queue",
          servers.get(0),
          beganNs,
          timeoutS,
          () -> answers(ports.get(0), protocol, protocol::create));
    }
  }

  private void await(
      String lacking, Process server, long beganNs, double timeoutS, BooleanSupplier until) {
    while (!until.getAsBoolean()) {
      if (!server.isAlive()) {
        throw new ToolException(peer.name() + " exited with " + server.exitValue() + logTail());
      }
      if (System.nanoTime() - beganNs > timeoutS * 1e9) {
        throw new ToolException(
            peer.name() + ": " + lacking + " after " + timeoutS + " s" + logTail());
      }
      pause(POLL_MS);
    }
  }

  private long listener(int port) throws IOException {
    List<Long> candidates = handles().stream().map(ProcessHandle::pid).toList();
    return ProcFs.listener(port, candidates)
        .orElseThrow(
            () -> new ToolException(peer.name() + ": nothing of it listens on port " + port));
  }

  private Process start(List<String> command, Peer.Member member, Path dir) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.environment().putAll(member.environment());
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private static boolean answers(int port, Protocol protocol, PeerConnection.Step step) {
    try {
      PeerConnection.once(port, protocol, step);
      return true;
    } catch (IOException e) {
      return false; // Not yet.
    }
  }

  /** Those that were started, and theirs. */
  private List<ProcessHandle> handles() {
    List<ProcessHandle> handles = new ArrayList<>();
    for (Process process : processes) {
      process.descendants().forEach(handles::add);
      handles.add(process.toHandle());
    }
    return handles;
  }

  /** Waits a while, unless the command is to end. */
  void pause(long millis) {
    if (stop.await(millis)) {
      throw new ToolException("stopped");
    }
  }

  /** Waits until it has stopped working, such as on what it was given. */
  void settle() throws IOException {
    long deadlineNs = System.nanoTime() + SETTLE_NS;
    double before = cpuSeconds();
    while (System.nanoTime() - deadlineNs < 0) {
      pause(QUIET_MS);
      double now = cpuSeconds();
      if (now - before < QUIET_CPU_S) {
        return;
      }
      before = now;
    }
  }

  Peer peer() {
    return peer;
  }

  /** Where a connection of this number goes: they are dealt out to all members. */
  int port(int connection) {
    return ports.get(connection % pids.size());
  }

  String version() {
    return version;
  }

  /** CPU time of all members so far, s. */
  double cpuSeconds() throws IOException {
    double sum = 0;
    for (long pid : pids) {
      sum += ProcFs.cpuSeconds(pid);
    }
    return sum;
  }

  private String logTail() {
    try {
      String text = new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip();
      return ": " + text.substring(Math.max(0, text.length() - LOG_TAIL)).replace('\n', ' ');
    } catch (IOException e) {
      return ""; // It has not got that far.
    }
  }

  @Override
  public void close() throws IOException {
    List<ProcessHandle> handles = handles();
    handles.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle handle : handles) {
      try {
        handle.onExit().get(10, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      } catch (ExecutionException | TimeoutException e) {
        throw new IOException(peer.name() + ": process " + handle.pid() + " does not end", e);
      }
    }
  }
}
