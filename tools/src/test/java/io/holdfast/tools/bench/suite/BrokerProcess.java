package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A broker that the suite started, in a directory of its own, on two free ports. A launcher script
 * is fine: the process that listens is the one measured. Closing kills it.
 */
final class BrokerProcess implements AutoCloseable {
  private static final int POLL_MS = 5;
  private static final int LOG_TAIL = 300;
  private static final int QUIET_MS = 500;
  private static final double QUIET_CPU_S = 0.03;
  private static final long SETTLE_NS = TimeUnit.SECONDS.toNanos(120);

  private final BrokerSpec spec;
  private final Path dir;
  private final StopSignal stop;
  private final double startTimeoutS;
  private final int tcpPort;
  private final int httpPort;

  private Process process;
  private long pid;
  private double startSeconds;

  /**
   * @param spec what to start
   * @param dir an empty directory for its data and log
   * @param stop ends every wait
   * @param startTimeoutS how long it may take until /ping says OK
   */
  BrokerProcess(BrokerSpec spec, Path dir, StopSignal stop, double startTimeoutS)
      throws IOException {
    this.spec = spec;
    this.dir = dir;
    this.stop = stop;
    this.startTimeoutS = startTimeoutS;
    try (ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket http = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      tcpPort = tcp.getLocalPort();
      httpPort = http.getLocalPort();
    }
    Files.createDirectories(data());
  }

  /** Starts it (again) and waits until /ping says OK. */
  void start() throws IOException {
    File log = dir.resolve("broker.log").toFile();
    long beganNs = System.nanoTime();
    process =
        new ProcessBuilder(spec.command().fill(data().toString(), tcpPort, httpPort))
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .start();
    BrokerHttp http = http();
    while (!http.ping()) {
      if (!process.isAlive()) {
        throw new ToolException(spec.name() + " exited with " + process.exitValue() + logTail());
      }
      if (System.nanoTime() - beganNs > startTimeoutS * 1e9) {
        throw new ToolException(
            spec.name() + ": no /ping after " + startTimeoutS + " s" + logTail());
      }
      pause(POLL_MS);
    }
    startSeconds = (System.nanoTime() - beganNs) / 1e9;
    List<Long> pids = new ArrayList<>(List.of(process.pid()));
    process.descendants().forEach(child -> pids.add(child.pid()));
    OptionalLong listener = ProcFs.listener(tcpPort, pids);
    if (listener.isEmpty()) {
      throw new ToolException(spec.name() + ": nothing of it listens on port " + tcpPort);
    }
    pid = listener.getAsLong();
  }

  /** Waits a while, unless the command is to end. */
  void pause(long millis) {
    if (stop.await(millis)) {
      throw new ToolException("stopped");
    }
  }

  /** Waits until it has stopped working, such as on bringing a backlog into its channels. */
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

  /** SIGTERM, and waits for its end. */
  void terminate() throws IOException {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
    awaitEnd((long) (startTimeoutS * 1000));
  }

  /** SIGKILL, and waits for its end. */
  void kill() throws IOException {
    if (process != null) {
      List<ProcessHandle> children = process.descendants().toList();
      process.destroyForcibly();
      children.forEach(ProcessHandle::destroyForcibly);
      awaitEnd(10_000);
    }
  }

  private void awaitEnd(long millis) throws IOException {
    try {
      if (!process.waitFor(millis, TimeUnit.MILLISECONDS)) {
        throw new IOException(spec.name() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() throws IOException {
    kill();
  }

  private String logTail() {
    try {
      String log =
          new String(Files.readAllBytes(dir.resolve("broker.log")), StandardCharsets.UTF_8).strip();
      return ": " + log.substring(Math.max(0, log.length() - LOG_TAIL)).replace('\n', ' ');
    } catch (IOException e) {
      return ""; // It has not got that far.
    }
  }

  String name() {
    return spec.name();
  }

  private Path data() {
    return dir.resolve("data");
  }

  BrokerAddress tcp() {
    return new BrokerAddress("127.0.0.1", tcpPort);
  }

  BrokerHttp http() {
    return new BrokerHttp(httpPort);
  }

  /** From the command to /ping OK at the last start, s. */
  double startSeconds() {
    return startSeconds;
  }

  /** CPU time so far, s. */
  double cpuSeconds() throws IOException {
    return ProcFs.cpuSeconds(pid);
  }

  /**
   * @param key {@code VmRSS} now, {@code VmHWM} its peak
   * @return MB
   */
  double memoryMb(String key) throws IOException {
    return ProcFs.status(pid, key) / 1024.0;
  }

  void resetPeak() throws IOException {
    ProcFs.resetPeak(pid);
  }

  long threads() throws IOException {
    return ProcFs.status(pid, "Threads");
  }

  /** Bytes of all files in the data directory, MB. */
  double dataMb() throws IOException {
    long sum = 0;
    try (Stream<Path> files = Files.walk(data())) {
      for (Path file : (Iterable<Path>) files::iterator) {
        sum += Files.isRegularFile(file) ? Files.size(file) : 0;
      }
    } catch (java.io.UncheckedIOException | java.nio.file.NoSuchFileException e) {
      return 0; // The broker removed one meanwhile; the number is not worth another look.
    }
    return sum / 1e6;
  }
}
