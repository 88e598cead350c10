package io.holdfast.broker;

import io.holdfast.broker.config.Logging;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.OutOfMemoryExit;
import io.holdfast.broker.config.Parsed;
import io.holdfast.storage.AsciiLocale;
import io.holdfast.storage.ChronicleSetup;
import io.holdfast.storage.FileModes;
import io.holdfast.storage.Reasons;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/** Flags in, exit code out: starts a {@link Server} and stops it at SIGTERM or SIGINT. */
public final class Main {
  private static final String LEAK_DETECTION = "io.netty.leakDetection.level";

  private Main() {}

  /** Runs the broker; ends the process. */
  public static void main(String[] args) {
    // First of all: digits and letters in names, numbers and logs are the same everywhere.
    Locale.setDefault(Locale.ROOT);
    // Before anything of Chronicle or Netty is loaded.
    ChronicleSetup.silence();
    // Tests look for leaked buffers, paranoidly; here it is a stack trace for each 128th buffer.
    System.setProperty(LEAK_DETECTION, System.getProperty(LEAK_DETECTION, "disabled"));
    OutOfMemoryExit.install();
    try {
      System.exit(run(args));
    } catch (OutOfMemoryError e) {
      OutOfMemoryExit.check(e);
    }
  }

  private static int run(String[] args) {
    Parsed parsed = OptionsLoader.parse(args);
    if (parsed instanceof Parsed.Print print) {
      System.out.println(print.text());
      return print.exitCode();
    }
    if (parsed instanceof Parsed.Fail fail) {
      System.err.println(fail.message() + AsciiLocale.cure(fail.message()));
      return fail.exitCode();
    }
    return serve(((Parsed.Run) parsed).options());
  }

  private static int serve(Options options) {
    Logging.configure(options);
    Logger log = LoggerFactory.getLogger(Main.class);
    log.info("{}, {}", OptionsLoader.versionLine(), OptionsLoader.nsqdVersionLine());
    options.describe().forEach(line -> log.debug("option {}", line));
    options.ineffective().forEach(log::warn);
    CountDownLatch stop = new CountDownLatch(1);
    Signal.handle(new Signal("TERM"), signal -> stop.countDown());
    Signal.handle(new Signal("INT"), signal -> stop.countDown());
    Server server;
    try {
      FileModes.ownerOnly();
      server = Server.start(options);
    } catch (IOException | RuntimeException | LinkageError e) {
      OutOfMemoryExit.check(e);
      boolean isExpected = e instanceof IOException || e instanceof IllegalStateException;
      String reason = (isExpected ? "" : "internal error: ") + Reasons.of(e);
      System.err.println("holdfast: " + Logging.visible(reason) + AsciiLocale.cure(reason));
      if (isExpected) {
        log.debug("start failed", e);
      } else {
        log.error("start failed", e);
      }
      return 1;
    }
    boolean waiting = true;
    while (waiting) {
      try {
        stop.await();
        waiting = false;
      } catch (InterruptedException e) {
        log.debug("interrupted; nobody has a reason to", e);
      }
    }
    log.info("stopping");
    server.stop();
    log.info("bye");
    return 0;
  }
}
