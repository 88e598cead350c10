package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * A broker in a process of its own, on loopback ports and a data path that stay the same over
 * restarts. Used by one thread at a time. Whatever happens to the test, the process is killed at
 * the end of the JVM at the latest.
 */
public final class BrokerProcess implements AutoCloseable {
  /**
   * Whoever runs the tests may ignore these (nohup, a shell's background job), and so would the
   * JVM.
   */
  private static final List<String> HEARING_SIGNALS = List.of("env", "--default-signal=HUP,INT");

  private static final Duration START_TIMEOUT = Duration.ofMinutes(3);
  private static final Set<Process> ALIVE = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> ALIVE.forEach(Process::destroyForcibly), "kill-brokers"));
  }

  /** Buffers of Netty that are collected without having been released are said in the log. */
  private static final String LEAK_DETECTION = "-Dio.netty.leakDetection.level=paranoid";

  private final List<String> flags;
  private final Path home;
  private final Path dataPath;
  private final int tcpPort = freePort();
  private final int httpPort = freePort();
  private Process process;
  private List<String> jvmFlags = List.of();
  private List<String> launcher = List.of();
  private int starts;

  private BrokerProcess(List<String> flags) {
    this.flags = List.copyOf(flags);
    try {
      this.home = Files.createTempDirectory("holdfast-system");
      this.dataPath = Files.createDirectory(home.resolve("data"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A broker that is not started yet, with the given flags beside addresses and data path. */
  public static BrokerProcess of(String... flags) {
    return new BrokerProcess(List.of(flags));
  }

  /** A started broker that answered {@code /ping}. */
  public static BrokerProcess started(String... flags) {
    BrokerProcess broker = of(flags);
    try {
      return broker.start();
    } catch (RuntimeException | Error e) {
      broker.close();
      throw e;
    }
  }

  /** As {@link #started}, with TLS by the certificate {@code server}, and without HTTPS. */
  public static BrokerProcess startedWithTls(Certificates certificates, String... flags) {
    List<String> all = new ArrayList<>(List.of(flags));
    all.add("--tls-cert=" + certificates.file("server.pem"));
    all.add("--tls-key=" + certificates.file("server.key"));
    all.add("--https-address=");
    return started(all.toArray(String[]::new));
  }

  /** Gives the JVM these flags from the next start on. */
  public BrokerProcess withJvm(String... options) {
    jvmFlags = List.of(options);
    return this;
  }

  /** Starts it by way of these words, such as {@code prlimit --nofile=100}. */
  public BrokerProcess under(String... command) {
    launcher = List.of(command);
    return this;
  }

  /** Starts the broker and waits, at most 3 min, until {@code /ping} says OK. */
  public BrokerProcess start() {
    return start(true);
  }

  /** Starts the broker and waits, at most 3 min, until {@code /ping} says anything. */
  public BrokerProcess startEvenIfNotOk() {
    return start(false);
  }

  /** Starts the broker and waits for nothing: it is expected to end by itself. */
  public BrokerProcess launch() {
    List<String> args = new ArrayList<>();
    args.add("--tcp-address=127.0.0.1:" + tcpPort);
    args.add("--http-address=127.0.0.1:" + httpPort);
    args.add("--data-path=" + dataPath);
    args.addAll(flags);
    return launch(args);
  }

  private BrokerProcess start(boolean healthy) {
    launch();
    Http http = http();
    Awaitility.await("the broker's /ping")
        .atMost(START_TIMEOUT)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new AssertionError(
                    "broker ended with " + process.exitValue() + "\n" + output());
              }
              return healthy ? http.pingIsOk() : http.pingAnswers();
            });
    return this;
  }

  /** Starts the program with exactly these arguments and waits for nothing. */
  public BrokerProcess launch(List<String> args) {
    if (process != null && process.isAlive()) {
      throw new IllegalStateException("already running");
    }
    List<String> command = new ArrayList<>(HEARING_SIGNALS);
    command.addAll(launcher);
    command.addAll(commandLine());
    command.addAll(args);
    starts++;
    try {
      process =
          new ProcessBuilder(command)
              .directory(home.toFile())
              .redirectOutput(home.resolve("stdout." + starts).toFile())
              .redirectError(home.resolve("stderr." + starts).toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ALIVE.add(process);
    return this;
  }

  private List<String> commandLine() {
    if (!Reference.isHoldfast()) {
      return Reference.command();
    }
    Path jar = Path.of(System.getProperty("holdfast.jar", "target/holdfast.jar")).toAbsolutePath();
    if (!Files.isRegularFile(jar)) {
      throw new IllegalStateException("no " + jar + ": run mvn package first");
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(LEAK_DETECTION);
    command.addAll(ClassArchive.options());
    command.addAll(jvmFlags);
    command.add("-jar");
    command.add(jar.toString());
    return command;
  }

  /** SIGKILL, and waits for the end. Not supported by the reference: see {@link #crash()}. */
  public void kill9() {
    process.destroyForcibly();
    awaitExit(Duration.ofSeconds(20));
  }

  /**
   * {@link #kill9()} for Holdfast; SIGTERM for the reference, which promises nothing beyond a clean
   * stop. So a durability test can be validated against the reference.
   */
  public void crash() {
    if (Reference.isHoldfast()) {
      kill9();
    } else {
      terminate();
    }
  }

  /** SIGTERM; returns the exit code. Fails when the process is still there after 20 s. */
  public int terminate() {
    process.destroy();
    return awaitExit(Duration.ofSeconds(20));
  }

  /** Sends it a signal: TERM, INT, HUP... */
  public BrokerProcess signal(String name) {
    try {
      Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(pid())).start();
      if (kill.waitFor() != 0) {
        throw new AssertionError("kill -" + name + " " + pid() + " failed\n" + output());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return this;
  }

  /** Waits for the process's end by itself; returns the exit code. */
  public int awaitExit(Duration atMost) {
    try {
      if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("broker still running after " + atMost + "\n" + output());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    ALIVE.remove(process);
    return process.exitValue();
  }

  /** The running process's id. */
  public long pid() {
    return process.pid();
  }

  /** A look at the running process from outside. */
  public ProcessWatch watch() {
    return new ProcessWatch(process.pid());
  }

  /** Whether the process runs. */
  public boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** What the running or last process logged so far; it logs to stderr. */
  public String log() {
    return stderr();
  }

  /** What the running or last process wrote to stdout so far. */
  public String stdout() {
    return read("stdout.");
  }

  /** What the running or last process wrote to stderr so far. */
  public String stderr() {
    return read("stderr.");
  }

  /** Both outputs, for failure messages. */
  public String output() {
    return "--- stdout\n" + stdout() + "--- stderr\n" + stderr();
  }

  private String read(String name) {
    try {
      return Files.readString(home.resolve(name + starts), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int tcpPort() {
    return tcpPort;
  }

  public int httpPort() {
    return httpPort;
  }

  public Path dataPath() {
    return dataPath;
  }

  /** A directory beside the data path, deleted with the broker. */
  public Path home() {
    return home;
  }

  /** HTTP requests to this broker. */
  public Http http() {
    return new Http(httpPort);
  }

  /** A new connection that has sent the magic. */
  public RawNsqConnection connect() {
    return RawNsqConnection.open(tcpPort).sendMagic();
  }

  /** A new connection that has sent nothing. */
  public RawNsqConnection connectRaw() {
    return RawNsqConnection.open(tcpPort);
  }

  /** A new connection subscribed with RDY 0. */
  public RawNsqConnection subscribe(String topic, String channel) {
    return connect().line("SUB " + topic + " " + channel).expectOk();
  }

  /** Fails when any of its processes lost a buffer. */
  @Override
  public void close() {
    if (isAlive()) {
      kill9();
    }
    List<String> leaks = new ArrayList<>();
    for (; starts > 0; starts--) {
      log().lines().filter(line -> line.contains("LEAK: ")).forEach(leaks::add);
    }
    deleteRecursively(home);
    if (!leaks.isEmpty()) {
      throw new AssertionError(String.join("\n", leaks));
    }
  }

  private static void deleteRecursively(Path dir) {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A port nobody listens on, from below the ephemeral range so that no outgoing connection takes
   * it meanwhile.
   */
  public static int freePort() {
    for (int i = 0; i < 1000; i++) {
      int port = ThreadLocalRandom.current().nextInt(15_000, 32_000);
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        continue; // taken: try another
      }
    }
    throw new IllegalStateException("no free port");
  }
}
