// Says when something new has come. The page itself changes only when its reader asks for that.

const SECONDS = 5;
const news = document.querySelector(".news");

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("../inbox.json");
    const { messages } = await answer.json();
    const newest = messages.length ? `${messages[0].channel}/${messages[0].id}` : "";
    news.hidden = newest === document.body.dataset.newest;
  } catch {
    news.hidden = true; // The stack has ended: there is nothing new to show.
  }
}

setInterval(look, SECONDS * 1000);
