package io.holdfast.broker;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsBuilder;
import io.holdfast.storage.files.ChronicleSetup;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A broker inside another program:
 *
 * <pre>{@code
 * try (Holdfast broker = Holdfast.builder().dataPath(dir).build().start()) {
 *   connect(broker.tcpAddress());
 * }
 * }</pre>
 *
 * <p>There may be several in one JVM, each with a data path of its own; the memory of the JVM is
 * divided as if each were alone. The program's logging, signals, locale, file mode mask and exit
 * are left to it. What a broker has begun ends with {@link #close}, but for the thread with which
 * Chronicle gives back resources, one per JVM. Thread-safe.
 */
public final class Holdfast implements AutoCloseable {
  private static final List<String> OPENED = List.of("java.lang.reflect", "sun.nio.ch");
  private static final String EXPORTED = "jdk.internal.ref";

  private final Options options;
  private boolean closed;

  /** null before the start and after a start that failed. Under this monitor. */
  private Server server;

  private Holdfast(Options options) {
    this.options = options;
  }

  /** Begins with what an embedded broker has by default: TCP at 127.0.0.1 with a free port. */
  public static Builder builder() {
    return new Builder();
  }

  /** Says what the broker is to be. For one thread. */
  public static final class Builder {
    private final OptionsBuilder options =
        Options.builder()
            .option("tcp_address", "127.0.0.1:0")
            .option("http_address", "")
            .option("https_address", "");

    private Builder() {}

    /**
     * Where the data is kept.
     *
     * @param directory that exists; it may be the only broker's
     */
    public Builder dataPath(Path directory) {
      return option("data_path", directory.toString());
    }

    /**
     * Where clients connect.
     *
     * @param address host:port, of which 0 is any free one, or the path of a unix socket
     * @throws IllegalArgumentException in one line, if it is neither
     */
    public Builder tcpAddress(String address) {
      return option("tcp_address", address);
    }

    /**
     * Where HTTP clients connect; without it nowhere.
     *
     * @param address as of {@link #tcpAddress}; empty for nowhere
     * @throws IllegalArgumentException in one line, if it is neither
     */
    public Builder httpAddress(String address) {
      return option("http_address", address);
    }

    /**
     * Sets any option.
     *
     * @param name the key in {@code conf/holdfast.toml}
     * @param value its text, as on the command line; replaces the former one
     * @throws IllegalArgumentException in one line, if there is no such option or it does not
     *     accept the value
     */
    public Builder option(String name, String value) {
      options.option(name, value);
      return this;
    }

    /**
     * Makes the broker; nothing is opened yet.
     *
     * @throws IllegalArgumentException in one line, if the options do not go together or the data
     *     path is no directory that can be written
     */
    public Holdfast build() {
      return new Holdfast(options.buildChecked());
    }
  }

  /**
   * Opens the data path and listens; clients can connect when this returns.
   *
   * @return this
   * @throws IOException in one line: the data path is in use, the address is taken, the JVM lacks
   *     what Chronicle Queue needs; nothing is left running then
   * @throws IllegalStateException if it is started or closed
   */
  public synchronized Holdfast start() throws IOException {
    if (closed) {
      throw new IllegalStateException("a broker that was closed does not start again");
    }
    if (server != null) {
      throw new IllegalStateException("the broker is started already");
    }
    requireOpenPackages();
    ChronicleSetup.silence();
    try {
      server =
          uninterrupted(
              () -> {
                try {
                  return Server.startEmbedded(options);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (IllegalStateException | LinkageError e) {
      throw new IOException(Reasons.of(e), e);
    }
    return this;
  }

  /**
   * Does something in a thread of its own: under one that is interrupted the JDK closes the files
   * that it reads, writes and locks, and the end would wait for nothing.
   */
  private static <T> T uninterrupted(Supplier<T> work) {
    Executor ownThread = task -> new Thread(task, "holdfast").start();
    try {
      return CompletableFuture.supplyAsync(work, ownThread).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e;
    }
  }

  /** Chronicle Queue would fail much later, and not say why. */
  private static void requireOpenPackages() throws IOException {
    Module base = Object.class.getModule();
    Module own = Holdfast.class.getModule();
    List<String> missing = new ArrayList<>();
    for (String name : OPENED) {
      if (!base.isOpen(name, own)) {
        missing.add("--add-opens=java.base/" + name + "=ALL-UNNAMED");
      }
    }
    if (!base.isExported(EXPORTED, own)) {
      missing.add("--add-exports=java.base/" + EXPORTED + "=ALL-UNNAMED");
    }
    if (!missing.isEmpty()) {
      throw new IOException("the JVM has to be started with " + String.join(" ", missing));
    }
  }

  /**
   * Where clients connect, with the port that was free; null for a unix socket.
   *
   * @throws IllegalStateException if the broker does not run
   */
  public synchronized InetSocketAddress tcpAddress() {
    return address(options.tcpAddress(), running().broker().tcpPort());
  }

  /**
   * Where HTTP clients connect, likewise; null for a unix socket or nowhere.
   *
   * @throws IllegalStateException if the broker does not run
   */
  public synchronized InetSocketAddress httpAddress() {
    int port = running().broker().httpPort();
    return options.httpAddress().map(configured -> address(configured, port)).orElse(null);
  }

  /** What runs; for this package alone. */
  Server running() {
    if (server == null) {
      throw new IllegalStateException("the broker does not run");
    }
    return server;
  }

  private static InetSocketAddress address(ListenAddress configured, int port) {
    if (configured.isUnix()) {
      return null;
    }
    return configured.host().isEmpty()
        ? new InetSocketAddress(port)
        : new InetSocketAddress(configured.host(), port);
  }

  /**
   * Stops as the process does at SIGTERM: takes nothing more, waits for messages in flight at most
   * for {@code shutdown_timeout}, then gives the data path free. Further calls do nothing. An
   * interrupt does not end it earlier.
   */
  @Override
  public void close() {
    end(
        running -> {
          running.drain(new CountDownLatch(1));
          running.stop();
        });
  }

  /**
   * For tests: ends as a process that is killed does, as far as one JVM can: waits for nothing and
   * sums nothing up. What was open of files stays open until the JVM ends. Then as {@link #close}.
   */
  public void kill() {
    end(Server::kill);
  }

  private synchronized void end(Consumer<Server> how) {
    closed = true;
    Server running = server;
    server = null;
    if (running != null) {
      uninterrupted(
          () -> {
            how.accept(running);
            return null;
          });
    }
  }
}
