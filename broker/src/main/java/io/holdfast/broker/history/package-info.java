/** What people did and what the broker noticed, kept for whoever looks later. */
package io.holdfast.broker.history;
