package io.holdfast.broker.cluster.relay;

import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.Closeable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The threads on which a leader serves consumers of other nodes. Thread-safe. */
class RelayLoops implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(RelayLoops.class);

  /** One for each other node. */
  private static final int THREADS = 2;

  private final DefaultEventExecutorGroup group =
      new DefaultEventExecutorGroup(THREADS, new DefaultThreadFactory("relay", true));

  /** One of the threads, in turn. */
  RelayLoop next() {
    return new Loop(group.next());
  }

  /** Any thread, for what is soon done. */
  RelayLoop timer() {
    return next();
  }

  private record Loop(EventExecutor executor) implements RelayLoop {
    @Override
    public void execute(Runnable task) {
      try {
        executor.execute(task);
      } catch (RejectedExecutionException e) {
        LOG.debug("CLUSTER: the relay has ended", e);
      }
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // It logs what fails.
    public void schedule(Runnable task, long delayNs) {
      try {
        executor.schedule(task, delayNs, TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("CLUSTER: the relay has ended", e);
      }
    }
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // Nobody waits for it.
  public void close() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
