"""Attacks that pages and notebooks must hold against."""

from __future__ import annotations

P = "window.pwned=1"


ATTACKS = [
    f"<script>{P}</script>",
    f"<SCRIPT>{P}</SCRIPT>",
    f"<scr<script>ipt>{P}</scr</script>ipt>",
    f"<script src='data:text/javascript,{P}'></script>",
    f"<img src=x onerror={P}>",
    f"<img src=x onerror='{P}'>",
    f'<img src="x" OnErRoR="{P}">',
    f"<img/src=x/onerror={P}>",
    f"<svg onload={P}>",
    f"<svg><script>{P}</script></svg>",
    f"<svg/onload={P}>",
    f"<svg><animate onbegin={P} attributeName=x dur=1s>",
    f"<svg><set onbegin={P} attributename=x>",
    f"<math><mtext></mtext><script>{P}</script></math>",
    f"<math href='javascript:{P}'>click</math>",
    f"<body onload={P}>",
    f"<iframe src='javascript:{P}'></iframe>",
    f"<iframe srcdoc='<script>parent.{P}</script>'></iframe>",
    f"<object data='javascript:{P}'></object>",
    f"<embed src='javascript:{P}'>",
    f"<link rel=stylesheet href='javascript:{P}'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{P}'>",
    "<base href='https://evil.example/'>",
    f"<form action='javascript:{P}'><button>x</button></form>",
    f"<button onclick={P} autofocus onfocus={P}>x</button>",
    f"<input onfocus={P} autofocus>",
    f"<select onfocus={P} autofocus></select>",
    f"<textarea onfocus={P} autofocus></textarea>",
    f"<details open ontoggle={P}>x</details>",
    f"<video><source onerror={P}></video>",
    f"<audio src=x onerror={P}></audio>",
    f"<marquee onstart={P}>x</marquee>",
    f"<b onmouseover={P}>x</b>",
    f"<b style='animation-name:x' onanimationstart={P}>x</b>",
    f"<kbd onclick={P}>x</kbd>",
    "<b style='position:fixed;inset:0;background:red'>x</b>",
    "<style>body{display:none}</style>",
    f"<a href='javascript:{P}'>x</a>",
    f"<a href=' javascript:{P}'>x</a>",
    f"<a href='java\tscript:{P}'>x</a>",
    f"<a href='data:text/html,<script>{P}</script>'>x</a>",
    f"[x](javascript:{P})",
    f"[x](JaVaScRiPt:{P})",
    f"[x](javascript&#58;{P})",
    f"[x](&#x6A;avascript:{P})",
    "[x](vbscript:msgbox)",
    f"[x](data:text/html;base64,{P})",
    f"[x](<javascript:{P}>)",
    f"<javascript:{P}>",
    f"![x](javascript:{P})",
    f"![x](x' onerror='{P})",
    f'![x](x "onerror={P}")',
    f'[x](https://example.org "\\" onmouseover=\\"{P}")',
    f"$\\href{{javascript:{P}}}{{x}}$",
    f"$\\htmlData{{onclick={P}}}{{x}}$",
    f"$\\includegraphics{{javascript:{P}}}$",
    f"$\\url{{javascript:{P}}}$",
    f"`</code><script>{P}</script>`",
    f"``` </code><img src=x onerror={P}> ```",
    f"</span></p><script>{P}</script>",
    f"--><script>{P}</script>",
    f"<!--><script>{P}</script>-->",
    f"<![CDATA[<script>{P}</script>]]>",
    f"<?xml-stylesheet href='javascript:{P}'?>",
    f"&lt;script&gt;{P}&lt;/script&gt;<script>{P}</script>",
    f"\ue0000\ue001<script>{P}</script>",
    f"<noscript><p title='</noscript><img src=x onerror={P}>'></noscript>",
    f"<template><script>{P}</script></template>",
    f"<x onclick={P} tabindex=1>x</x>",
    f"<b><i><b onclick={P}></b></i></b>",
    f"<img src='javascript:{P}' alt=\"'><script>{P}</script>\">",
    f"<img src=x alt='\" onerror={P} x=\"'>",
    f"<a id='\"><script>{P}</script>'></a>",
    f"<a name=x onclick={P} href=https://example.org>x</a>",
    f"<a href='https://example.org\" onclick=\"{P}'>x</a>",
    f"<h2 id='x' onclick={P}>h <img src=x onerror={P}></h2>",
    f"<picture><source media='(prefers-color-scheme: dark)' srcset='javascript:{P}'><img src=x></picture>",
    f"<p align='center\" onclick=\"{P}'>x</p>",
    f"<table><tr><td colspan='1\" onclick=\"{P}'>x</td></tr></table>",
    f"$\\def\\a{{\\href}}\\a{{javascript:{P}}}{{x}}$",
    f'$$x \\label{{"onclick={P} x="}}$$ \\eqref{{"onclick={P} x="}}',
    f'$\\pylitref{{x" onclick="{P}}}{{x}}$',
    f"<div align=center><script>{P}</script></div>",
]


def hostile_prose(attack: str) -> str:
    """An attack wherever Markdown may take it: as a block, in a line, a heading, a list, a cell, a link, a fence."""
    line = " ".join(attack.split())
    cell = line.replace("|", r"\|")
    return (
        f"{attack}\n\nIn a line {line} of words\n\n## A heading {line}\n\n* an item {line}\n\n> {line}\n\n"
        f"| a {cell} | b |\n|---|---|\n| {cell} | c |\n\n[{line}]({line} \"{line}\") ![{line}](<{line}> '{line}')\n\n"
        f"```{line}\n{line}\n```\n\n```chart\ncaption: {line}\n```\n\n$$\n{line}\n$$\n\n${line}$\n\n`{line}`\n\n"
        f"<details>\n<summary>{line}</summary>\n{line}\n</details>\n\n<div><h3>{line}</h3>\n{line}\n</div>\n\n"
        f"<div {line}>\n\n>>> {line}\n\n"
    )
