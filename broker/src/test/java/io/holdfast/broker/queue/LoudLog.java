package io.holdfast.broker.queue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import org.slf4j.LoggerFactory;

/**
 * Catches what the broker would have to warn of, by thread: in a simulation, where no disk fails,
 * there is nothing to be reported as lost, damaged or surprising.
 */
final class LoudLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
  private final ThreadLocal<String> first = new ThreadLocal<>();
  private final Logger holdfast = logger("io.holdfast");
  private final Logger chronicle = logger("net.openhft");
  private final Level chronicleLevel = chronicle.getLevel();
  private final Level level = holdfast.getLevel();
  private final boolean additive = holdfast.isAdditive();

  LoudLog() {
    setContext(holdfast.getLoggerContext());
    setName("loud");
    start();
    holdfast.addAppender(this);
    holdfast.setAdditive(false);
    holdfast.setLevel(Level.WARN);
    // What a crash leaves open complains when it is collected.
    chronicle.setLevel(Level.OFF);
  }

  private static Logger logger(String name) {
    return (Logger) LoggerFactory.getLogger(name);
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (first.get() == null) {
      first.set(event.getLevel() + " " + event.getFormattedMessage());
    }
  }

  /** The first warning of the calling thread since the last call; null without one. */
  String take() {
    String taken = first.get();
    if (taken != null) {
      first.remove();
    }
    return taken;
  }

  @Override
  public void close() {
    holdfast.detachAppender(this);
    holdfast.setAdditive(additive);
    holdfast.setLevel(level);
    chronicle.setLevel(chronicleLevel);
    stop();
  }
}
