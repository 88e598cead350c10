package io.holdfast.broker;

import io.holdfast.broker.cluster.ClusterConfig;
import io.holdfast.broker.config.LogFormat;
import io.holdfast.broker.config.LogbackSetup;
import io.holdfast.broker.config.Logging;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.policy.PolicyBook;
import io.holdfast.storage.files.AsciiLocale;
import io.holdfast.storage.files.ChronicleSetup;
import io.holdfast.storage.files.FileModes;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Flags in, exit code out: starts a {@link Server} and stops it at SIGTERM or SIGINT, has it read
 * its configuration again at SIGHUP.
 */
public final class Main {
  private static final String LEAK_DETECTION = "io.netty.leakDetection.level";
  private static final String NATIVE_CODE = "jnr.ffi.asm.enabled";

  private Main() {}

  /** Runs the broker; ends the process. */
  public static void main(String[] args) {
    // First of all: digits and letters in names, numbers and logs are the same everywhere.
    Locale.setDefault(Locale.ROOT);
    LogbackSetup.begin();
    // Before anything of Chronicle or Netty is loaded.
    ChronicleSetup.silence();
    // Tests look for leaked buffers, paranoidly; here it is a stack trace for each 128th buffer.
    System.setProperty(LEAK_DETECTION, System.getProperty(LEAK_DETECTION, "disabled"));
    // Native calls are few and slow anyway: made by reflection, not by code that is written and
    // compiled for each of the 31 that Chronicle might make.
    System.setProperty(NATIVE_CODE, System.getProperty(NATIVE_CODE, "false"));
    OutOfMemoryExit.install();
    NativeCallsAhead.begin();
    try {
      System.exit(run(args));
    } catch (OutOfMemoryError e) {
      OutOfMemoryExit.check(e);
    }
  }

  private static int run(String[] args) {
    Parsed parsed = ClusterConfig.checked(PolicyBook.checked(OptionsLoader.parse(args)));
    if (parsed instanceof Parsed.Print print) {
      System.out.println(print.text());
      return print.exitCode();
    }
    if (parsed instanceof Parsed.Fail fail) {
      System.err.println(fail.message() + AsciiLocale.cure(fail.message()));
      return fail.exitCode();
    }
    return serve(((Parsed.Run) parsed).options(), args);
  }

  private static int serve(Options options, String[] args) {
    Logging.configure(options);
    Logger log = LoggerFactory.getLogger(Main.class);
    log.info("{}, {}", OptionsLoader.versionLine(), OptionsLoader.nsqdVersionLine());
    options.describe().forEach(line -> log.debug("option {}", line));
    options.ineffective().forEach(log::warn);
    Stop stop = new Stop();
    ProcessSignals.onSignal("TERM", stop::asked);
    ProcessSignals.onSignal("INT", stop::asked);
    // What comes while it starts is done when it has.
    CompletableFuture<Server> started = new CompletableFuture<>();
    ProcessSignals.onSignal(
        "HUP", () -> started.thenAccept(server -> server.reload(OptionsLoader.parse(args))));
    Server server;
    try {
      // While the other native calls are still being loaded.
      Transport.load();
      FileModes.ownerOnly();
      server = Server.start(options);
    } catch (IOException | RuntimeException | LinkageError e) {
      OutOfMemoryExit.check(e);
      return cannotStart(options, e);
    }
    stop.isStarted = true;
    started.complete(server);
    CompletableFuture<String> mustExit = server.mustExit();
    mustExit.thenAccept(reason -> stop.first.countDown());
    awaitUninterruptibly(stop.first);
    if (mustExit.isDone()) {
      say(options, mustExit.join());
      server.stop();
      return 1;
    }
    log.info("stopping");
    server.drain(stop.second);
    server.stop();
    log.info("bye");
    return 0;
  }

  private static int cannotStart(Options options, Throwable cause) {
    Logger log = LoggerFactory.getLogger(Main.class);
    boolean isExpected = cause instanceof IOException || cause instanceof IllegalStateException;
    String reason = (isExpected ? "" : "internal error: ") + Reasons.of(cause);
    say(options, reason);
    if (isExpected) {
      log.debug("start failed", cause);
    } else {
      log.error("start failed", cause);
    }
    return 1;
  }

  /** Why it ends. */
  private static void say(Options options, String reason) {
    String line = "holdfast: " + Logging.visible(reason) + AsciiLocale.cure(reason);
    if (options.logFormat() == LogFormat.JSON) {
      LoggerFactory.getLogger(Main.class).error(Logging.FATAL, "{}", line);
    } else {
      System.err.println(line);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean waiting = true;
    while (waiting) {
      try {
        latch.await();
        waiting = false;
      } catch (InterruptedException e) {
        LoggerFactory.getLogger(Main.class).debug("interrupted; nobody has a reason to", e);
      }
    }
  }

  /** SIGTERM and SIGINT so far: the first one asks to stop in order, the second at once. */
  private static final class Stop {
    private final CountDownLatch first = new CountDownLatch(1);
    private final CountDownLatch second = new CountDownLatch(1);
    private volatile boolean isStarted;

    private synchronized void asked() {
      if (first.getCount() > 0) {
        first.countDown();
        return;
      }
      second.countDown();
      if (!isStarted) {
        // Opening many topics takes its time, and a start that is cut off does no harm.
        Runtime.getRuntime().halt(1);
      }
    }
  }
}
