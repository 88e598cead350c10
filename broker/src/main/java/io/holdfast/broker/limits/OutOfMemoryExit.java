package io.holdfast.broker.limits;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.netty.util.internal.OutOfDirectMemoryError;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Ends the process when it is out of memory, as -XX:+ExitOnOutOfMemoryError does, which a jar
 * cannot ask for: half a broker, with a thread gone or a lock's promise broken, is worse than none,
 * and what was acknowledged is in the journal. Sees errors that end a thread, that are logged by
 * whoever caught them (Netty catches all), and that are shown to it. Only of a process that has
 * installed it: of a program that a broker is embedded in it is not ours to end. Thread-safe.
 */
public final class OutOfMemoryExit {
  /** As the JVM's own option. */
  private static final int EXIT_CODE = 3;

  private static final int MAX_CAUSES = 8;

  // Made, and loaded, before there is no memory to do so.
  private static final Class<?> REFUSED_BUFFER = OutOfDirectMemoryError.class;
  private static final byte[] LINE =
      "holdfast: out of memory, ending: raise -Xmx\n".getBytes(StandardCharsets.US_ASCII);
  private static final FileOutputStream STDERR = new FileOutputStream(FileDescriptor.err);

  private static final int RESERVE_BYTES = 256 * 1024;

  private static volatile boolean isInstalled;

  /** Given up to end in: the JVM's own way out needs some memory, too. */
  private static volatile byte[] reserve;

  private OutOfMemoryExit() {}

  /** Watches the threads from now on. */
  public static void install() {
    Logger log = (Logger) LoggerFactory.getLogger(OutOfMemoryExit.class);
    log.getLoggerContext().addTurboFilter(new LoggedErrors());
    reserve = new byte[RESERVE_BYTES];
    isInstalled = true;
    // Has the JVM load what it needs to end.
    Thread hook = new Thread(() -> {}, "nothing");
    Runtime.getRuntime().addShutdownHook(hook);
    Runtime.getRuntime().removeShutdownHook(hook);
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, error) -> {
          check(error);
          log.error("thread {} ends", thread.getName(), error);
        });
  }

  /**
   * Does not return if this is for want of memory. Where Netty's own count of buffers refuses one,
   * there is memory, and nothing is half done.
   *
   * @param error null for nothing
   */
  public static void check(Throwable error) {
    Throwable cause = isInstalled ? error : null;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
      if (cause instanceof OutOfMemoryError && cause.getClass() != REFUSED_BUFFER) {
        end();
      }
      cause = cause.getCause();
    }
  }

  private static void end() {
    boolean isFirst = reserve != null;
    reserve = null;
    try {
      if (isFirst) {
        STDERR.write(LINE);
      }
    } catch (IOException e) {
      // Nobody reads it. The exit code says it, too.
    } finally {
      Runtime.getRuntime().halt(EXIT_CODE);
    }
  }

  /** Sees the errors that are logged. */
  private static final class LoggedErrors extends TurboFilter {
    @Override
    public FilterReply decide(
        Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
      check(t);
      if (params != null && params.length > 0 && params[params.length - 1] instanceof Error error) {
        check(error);
      }
      return FilterReply.NEUTRAL;
    }
  }
}
