// Replaces each part of the page as the server sends it. Without script the page stays as it was loaded.
'use strict';
const state = document.getElementById('state');
const pause = document.getElementById('pause');
let paused = false;
let missed = {};

function put(parts) {
  const focused = document.activeElement && document.activeElement.id;
  for (const [id, html] of Object.entries(parts)) {
    document.getElementById(id).innerHTML = html;
  }
  // The focused element was replaced with its part.
  const again = focused && document.getElementById(focused);
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function show() {
  state.textContent = paused ? 'Paused' : 'Live';
  pause.textContent = paused ? 'Go on' : 'Pause';
  document.documentElement.dataset.state = paused ? 'paused' : 'live';
}

pause.hidden = false;
pause.addEventListener('click', () => {
  paused = !paused;
  show();
  if (!paused) {
    put(missed);
    missed = {};
  }
});

const events = new EventSource('/.console/events' + location.search);
events.onopen = show;
events.onmessage = (event) => {
  const parts = JSON.parse(event.data);
  if (paused) Object.assign(missed, parts);
  else put(parts);
};
events.onerror = () => {
  state.textContent = 'Not connected: this is what was seen last';
  document.documentElement.dataset.state = 'lost';
};
