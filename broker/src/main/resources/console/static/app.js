// Starts the script of the page.

const { page, session } = document.body.dataset;

document.getElementById('logout').hidden = session !== 'session';
for (const link of document.querySelectorAll('nav a')) {
  if (link.dataset.of.split(' ').includes(page)) {
    link.setAttribute('aria-current', 'page');
  }
}
if (page !== 'none') {
  const { start } = await import(`./${page}.js`);
  start();
}
